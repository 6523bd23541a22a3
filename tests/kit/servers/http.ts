/** A web server in this process that keeps what it was sent. */

export interface SeenRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface HttpServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly requests: SeenRequest[];
}

type Answer = (
  request: SeenRequest,
  /** An answer that comes when the server ends: a server that hangs. */
  about: { gone: Promise<Response> },
) => Response | Promise<Response>;

export async function startHttp(answer: Answer): Promise<HttpServer> {
  const requests: SeenRequest[] = [];
  const ended = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const seen: SeenRequest = {
      method: request.method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    requests.push(seen);
    return await answer(seen, { gone: ended.promise.then(() => new Response()) });
  });
  return await Promise.resolve({
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => {
      ended.resolve();
      return server.shutdown();
    },
  });
}
