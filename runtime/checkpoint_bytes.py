"""Values to bytes and back for the checkpoints, by LangGraph's serializer; sealed where that one encrypts."""

from __future__ import annotations

import hashlib
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from runtime.errors import CheckpointLost

_TYPES = ("null", "bytes", "bytearray", "msgpack", "json", "pickle")
"""Those of JsonPlusSerializer; their index is one byte, other serializers' types are spelled out."""
_PREFIXES = {kind: bytes((index,)) for index, kind in enumerate(_TYPES)}
_OTHER = 255
_PLAIN, _SEALED = b"\0", b"\1"


class Codec:
    """Two layers, so that equal values can be recognised although their ciphertexts differ.

    `dumps` serializes; `seal` encrypts, where the serializer is LangGraph's EncryptedSerializer; `digest` is
    taken between the two, with `digest_key`, so that without the key it tells nothing about the value.
    """

    def __init__(self, serde: SerializerProtocol, digest_key: bytes) -> None:
        encrypted = serde if type(serde) is EncryptedSerializer else None
        self._serde = encrypted.serde if encrypted else serde
        self._cipher = encrypted.cipher if encrypted else None
        self._digest_key = digest_key if encrypted else b""

    def dumps(self, value: Any) -> bytes:
        """The value and the name of its type; not sealed."""
        kind, data = self._serde.dumps_typed(value)
        if prefix := _PREFIXES.get(kind):
            return prefix + data
        name = kind.encode()
        return bytes((_OTHER, len(name))) + name + data

    def loads(self, data: bytes) -> Any:
        """The value that `dumps` was given."""
        if data[0] != _OTHER:
            return self._serde.loads_typed((_TYPES[data[0]], data[1:]))
        end = 2 + data[1]
        return self._serde.loads_typed((data[2:end].decode(), data[end:]))

    def seal(self, data: bytes) -> bytes:
        """What may be stored."""
        if self._cipher is None:
            return _PLAIN + data
        cipher, ciphertext = self._cipher.encrypt(data)
        name = cipher.encode()
        return _SEALED + bytes((len(name),)) + name + ciphertext

    def open(self, stored: bytes) -> bytes:
        """What `seal` was given. Reads what was stored before encryption was turned on.

        Raises CheckpointLost for sealed bytes without a cipher, and what the cipher raises for a wrong key.
        """
        if stored[:1] == _PLAIN:
            return stored[1:]
        if self._cipher is None:
            raise CheckpointLost("the checkpoint is encrypted and this saver has no key")
        end = 2 + stored[1]
        return self._cipher.decrypt(stored[2:end].decode(), stored[end:])

    def digest(self, data: bytes) -> bytes:
        """16 bytes; equal for equal data, and only with the same key when encrypting."""
        return hashlib.blake2b(data, digest_size=16, key=self._digest_key).digest()
