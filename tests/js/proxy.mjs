// A TCP proxy on loopback whose connections can be cut: how the cases drop a socket in mid-stream.
import net from "node:net";

/** Forwards to the server at `url`; `cut()` closes what is open, `cuts` counts it. */
export async function openProxy(url) {
  const target = new URL(url);
  const open = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    const pair = [client, upstream];
    open.add(pair);
    for (const [socket, other] of [pair, [upstream, client]]) {
      socket.pipe(other);
      socket.on("error", () => {});
      socket.on("close", () => {
        other.destroy();
        open.delete(pair);
      });
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const proxy = {
    url: `http://127.0.0.1:${server.address().port}`,
    cuts: 0,
    cut() {
      proxy.cuts += open.size;
      for (const [client, upstream] of open) {
        client.destroy();
        upstream.destroy();
      }
    },
    close() {
      proxy.cut();
      server.close();
    },
  };
  return proxy;
}
