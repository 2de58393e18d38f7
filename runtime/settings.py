"""All settings, read once from the environment (`CORNERMAN_…`) and an `.env` file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import SettingsInvalid

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """Frozen; every value has a default that runs on one machine with no key and no network."""

    model_config = SettingsConfigDict(env_prefix="CORNERMAN_", env_file=".env", frozen=True, extra="ignore")

    data_dir: Path = Path("data")
    """Holds the embedded Redis (append-only file) and the embedded index."""
    redis_url: SecretStr | None = None
    """None starts a redis-server of our own in `data_dir`. Secret, since it may hold a password."""
    host: str = "127.0.0.1"
    port: int = Field(8123, ge=0, le=65535)
    """0 takes a free port."""
    api_keys: SecretStr | None = None
    """JSON object from API key to `{"tenant", "subject", "roles"}`. None: whoever reaches the port is the
    local user, which is why the server then refuses to listen on anything but loopback."""

    config: Path | None = None
    """A project's `langgraph.json`, whose graphs are served beside ours."""
    allowed_origins: str = ""
    """Web pages that may use this server from elsewhere, as `https://host`, comma-separated."""

    model: str = "gpt-4o-mini"
    model_base_url: str | None = Field(
        None, validation_alias=AliasChoices("CORNERMAN_MODEL_BASE_URL", "OPENAI_BASE_URL")
    )
    """Any OpenAI-compatible endpoint. With neither it nor an API key the scripted model answers."""
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("CORNERMAN_OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    model_timeout_s: Positive = 60.0
    """Longest silence of the endpoint, before the first token and between two."""
    model_retries: int = Field(2, ge=0, le=10)
    model_temperature: float = Field(0.3, ge=0, le=2)

    scripted_token_delay_s: float = Field(0.0, ge=0, le=1)
    """Pause of the scripted model before each token; 0.02 reads like a real one."""

    worker_concurrency: Count = 8
    """Runs at once in one worker process; each slot holds one Redis connection."""
    worker_inline: bool = True
    """Whether `serve` also works. Off where `cornerman worker` processes do it."""
    heartbeat_s: Positive = 6.0
    """A run whose worker was silent this long is handed to another."""
    run_timeout_s: Positive = 300.0
    step_timeout_s: Positive = 180.0
    """For one superstep of a run, unless the graph has its own."""
    run_tokens: Count | None = None
    """Tokens that a run's models may use together, as they report them; None: any number."""
    run_attempts: Count = 3
    stop_grace_s: Positive = 10.0
    """How long a stopped run's nodes, and then its threads, are waited for before it is settled."""
    shutdown_grace_s: float = Field(10.0, ge=0)
    """How long a worker that ends lets its runs come to a checkpoint before others take them on."""
    recursion_limit: Count = 60
    """Supersteps of one run, where neither the client nor the graph says how many."""
    recursion_limit_max: Count = 1_000
    """The most that they may say."""
    max_message_chars: Count = 8_000
    max_frame_bytes: Count = 1_048_576
    events_kept: Count = 20_000
    """Events kept for each thread; older ones leave the log, the state stays in the checkpoints."""
    events_age_s: Positive = 7 * 86_400.0
    """Events of runs older than this leave the log too."""

    packs_dir: Path = Path(__file__).parent.parent / "examples" / "packs"
    """Persona and scenario packs."""
    search_timeout_s: Positive = 10.0
    store_search: bool = False
    """Whether the store's items are found by `query`; each put then waits for the process that owns the
    index. The same for all processes. Items put before it was on are found from their next put on."""
    embedder: Literal["bm25", "endpoint", "bge-m3"] = "bm25"
    """What makes the vectors of a new index; one that is there keeps its own until
    `cornerman index migrate`."""
    embedding_base_url: str | None = None
    """An OpenAI-compatible `/v1/embeddings`."""
    embedding_api_key: SecretStr | None = None
    embedding_model: str = "text-embedding-3-small"
    embedding_size: int = Field(1536, ge=1, le=65_536)
    """Floats of one of its vectors."""
    embedding_languages: str = ""
    """Those that it speaks, comma-separated, as `en` or `zh`; empty for all. It takes no part in others."""
    embedding_timeout_s: Positive = 60.0
    """For one batch of documents, by whichever embedder; a query has half of `search_timeout_s` at most."""
    embedding_cache_bytes: int = Field(2_000_000_000, ge=0)
    """Of vectors that are kept by their text's hash, in `data_dir`; 0 keeps none."""
    bge_dir: Path | None = None
    """Folder with the files of BAAI/bge-m3, where the extra `bge` is installed."""
    bge_device: str = ""
    """As torch names it, `cuda:0`; empty for a GPU where there is one."""
    bge_max_tokens: int = Field(512, ge=8, le=8_192)
    bge_colbert: bool = True
    """Whether what was found is ranked anew by ColBERT's vectors, a row for each token."""
    reranker_dir: Path | None = None
    """Folder of a cross-encoder, as BAAI/bge-reranker-v2-m3, which then ranks anew what was found."""
    qdrant_url: str | None = None
    """A Qdrant server, 1.19 or newer, for all processes; None: the engine itself, in `data_dir`."""
    qdrant_api_key: SecretStr | None = None
    qdrant_prefix: str = Field("cornerman-", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Of its collections' names."""
    passage_tokens: Count = 3_000
    """Of passages that a model is given for one answer."""
    answer_cache: bool = False
    """Whether a verified answer is given again to a question that means the same, while the tenant's
    documents are what they were."""
    answer_cache_similarity: float = Field(0.99, gt=0, le=1)
    """Cosine of two questions' words from which they mean the same."""

    child_tokens: Count = 128
    parent_tokens: Count = 512
    """Limits of the default chunking, in tokens."""
    tokens: str = "rule"
    """How they are counted: `rule` (our own, which needs no vocabulary), `tiktoken:o200k_base` or
    `hf:/path/to/tokenizer.json`, with vocabularies that are on this machine."""
    ingest_max_bytes: Count = 100_000_000
    ingest_limits: dict[str, int] = Field(default_factory=dict)
    """Other limits of a document than the defaults of `ingestion/limits.py`, as JSON: `{"pages": 500}`."""
    ingest_thresholds: dict[str, float] = Field(default_factory=dict)
    """Other thresholds of the router than those of `ingestion/options.py`: `{"table_share": 0.4}`."""
    ingest_roots: str = ""
    """Folders, comma-separated, whose files an `ingest` run may read that was started over the network.
    `cornerman ingest` reads whatever its user may name."""
    ingest_hosts: str = ""
    """Hosts, comma-separated, that documents may be fetched from although they are internal."""
    ingest_processes: Count = 2
    """Parser processes of each worker process; they start when they are needed."""
    ingest_process_bytes: Count = 2_000_000_000
    """Memory that one of them may use."""
    ingest_budget_bytes: Count = 256_000_000
    """Bytes of documents that one worker process holds at once."""
    ingest_timeout_s: Positive = 4 * 3_600.0
    """For the whole run of one document; scanned pages take seconds each."""
    docling_artifacts: Path | None = None
    """Folder of docling's PDF models, where the extra `docling` is installed."""

    ocr_base_url: str | None = None
    """An OpenAI-compatible endpoint that serves DeepSeek-OCR-2, vLLM for one. None: RapidOCR alone."""
    ocr_api_key: SecretStr | None = None
    ocr_model: str = "deepseek-ai/DeepSeek-OCR-2"
    ocr_timeout_s: Positive = 120.0
    """For one page."""
    ocr_concurrency: Count = 4
    """Pages at the endpoint at once, from one worker process."""

    log_level: str = "info"

    @property
    def origins(self) -> list[str]:
        """`allowed_origins`, parted."""
        return _parted(self.allowed_origins)

    @property
    def roots(self) -> list[Path]:
        """`ingest_roots`, parted."""
        return [Path(root) for root in _parted(self.ingest_roots)]

    @property
    def hosts(self) -> list[str]:
        """`ingest_hosts`, parted."""
        return _parted(self.ingest_hosts)

    @property
    def languages(self) -> tuple[str, ...]:
        """`embedding_languages`, parted."""
        return tuple(_parted(self.embedding_languages))

    @field_validator(
        "redis_url",
        "api_keys",
        "model_base_url",
        "openai_api_key",
        "config",
        "embedding_base_url",
        "embedding_api_key",
        "bge_dir",
        "reranker_dir",
        "qdrant_url",
        "qdrant_api_key",
        "docling_artifacts",
        "ocr_base_url",
        "ocr_api_key",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        """An empty variable unsets what an `.env` file says."""
        return value or None


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def load(**given: Any) -> Settings:
    """The settings of this process, `given` before the environment.

    Raises SettingsInvalid naming each variable and what is allowed.
    """
    try:
        return Settings(**given)
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_input=False)
        )
        raise SettingsInvalid(f"settings are not valid: {faults}") from exc
