/* SPDX-License-Identifier: MIT */
/*
 * Judgement, from the first probe to the verdict: a patient for every cause,
 * with answers as real software gives them, and the traps in which a status
 * alone misleads.
 */
#include "test.h"

#include <math.h>

#include "doctor/bedside.h"

#define IN_SANDBOX(words)                                           \
	"HTTP/1.1 200 OK\nContent-Security-Policy: sandbox " words \
	"\n\n<html>"
#define NGINX_403                                                     \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n"              \
	"Content-Type: text/html\nContent-Length: 153\n\n"            \
	"<html>\n<head><title>403 Forbidden</title></head>\n<body>\n" \
	"<center><h1>403 Forbidden</h1></center>\n"                   \
	"<hr><center>nginx/1.22.1</center>\n</body>\n</html>\n"
#define UVICORN_403                                   \
	"HTTP/1.1 403 Forbidden\nContent-Length: 0\n" \
	"Content-Type: text/plain\nConnection: close\n\n"
#define TORNADO_403                                                      \
	"HTTP/1.1 403 Forbidden\nServer: TornadoServer/6.2\n"            \
	"Content-Type: text/html; charset=UTF-8\nContent-Length: 35\n\n" \
	"Cross origin websockets not allowed"
#define NODE_401                                         \
	"HTTP/1.1 401 Unauthorized\nConnection: close\n" \
	"Content-Type: text/html\nContent-Length: 12\n\nUnauthorized"
#define NODE_400                                        \
	"HTTP/1.1 400 Bad Request\nConnection: close\n" \
	"Content-Type: text/html\nContent-Length: 11\n\nBad Request"
#define RELAYED_400 /* with the Date of whoever passed it on */   \
	"HTTP/1.1 400 Bad Request\nConnection: close\n"           \
	"Date: Mon, 01 Jan 2024 00:00:00 GMT\nContent-Length: 11" \
	"\n\nBad Request"
#define NODE_426                                              \
	"HTTP/1.1 426 Upgrade Required\nContent-Length: 16\n" \
	"Content-Type: text/plain\n\nUpgrade Required"
#define NGINX_404                                                     \
	"HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n"              \
	"Content-Type: text/html\nContent-Length: 153\n\n"            \
	"<html>\n<head><title>404 Not Found</title></head>\n<body>\n" \
	"<center><h1>404 Not Found</h1></center>\n"                   \
	"<hr><center>nginx/1.22.1</center>\n</body>\n</html>\n"
#define URL  "ws://127.0.0.1:8080/chat"
#define TLS  "wss://localhost:8443/chat"
#define HERE "http://127.0.0.1:8080"

#define APOLLO                                                          \
	"HTTP/1.1 400 Bad Request\nX-Powered-By: Express\n"             \
	"Content-Type: application/json; charset=utf-8\n\n{\"errors\":" \
	"[{\"message\":\"GET query missing.\"}]}"
#define EDGE_400                                                          \
	"HTTP/1.1 400 Bad Request\nServer: cloudflare\nCF-RAY: -\n"       \
	"Content-Type: text/html\n\n<html>\n<head><title>400 Bad Request" \
	"</title></head>\n<body>\n<center><h1>400 Bad Request</h1>"       \
	"</center>\n<hr><center>cloudflare</center>\n</body>\n</html>"

static const struct patient patients[] = {
	{.name = "an open door",
	 .url = URL,
	 .answer = "@open",
	 .cause = "ok",
	 .at_least = 0.9},
	{.name = "two m in the scheme",
	 .url = "wss//example.org/x",
	 .cause = "url.syntax",
	 .at_least = 0.9},
	{.name = "a database's scheme",
	 .url = "ftp://example.org/x",
	 .cause = "url.scheme",
	 .at_least = 0.8},
	{.name = "plain HTTP to a TLS port",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\nServer: nginx\n\n<html><center>"
		   "The plain HTTP request was sent to HTTPS port</center>",
	 .answers = {{DOCTOR_SCHEME, "wss", "@open"}},
	 .cause = "url.scheme",
	 .at_least = 0.95},
	{.name = "TLS to a plain port",
	 .url = TLS,
	 .answer = "@tls not-tls",
	 .answers = {{DOCTOR_SCHEME, "ws", "@open"}},
	 .cause = "url.scheme",
	 .at_least = 0.9},
	{.name = "a virtual host that is another",
	 .url = URL,
	 .answer = NGINX_404,
	 .answers = {{DOCTOR_HOST, "localhost:8080", "@open"}},
	 .cause = "url.host",
	 .at_least = 0.7},
	{.name = "an SSH server",
	 .url = URL,
	 .answer = "@raw SSH-2.0-OpenSSH_9.2\r\n",
	 .cause = "url.port",
	 .at_least = 0.8},
	{.name = "Redis beside the door",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PORT, "8081", "@open"}},
	 /* or a door that shuts, with its application beside it */
	 .cause = "url.port",
	 .at_least = 0.4,
	 .at_most = 0.82},
	{.name = "a path that Express does not know",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\nX-Powered-By: Express\n"
		   "Content-Type: text/html\n\n<pre>Cannot GET /chat</pre>",
	 .answers = {{DOCTOR_PATH, "/ws", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a path that uvicorn answers with its one 403",
	 .url = URL,
	 .answer = UVICORN_403,
	 .answers = {{DOCTOR_PATH, "/ws", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a room that is missing",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\n\nquery parameter room is "
		   "required",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426}},
	 .cause = "url.query",
	 .at_least = 0.6},
	{.name = "a key that is none",
	 .url = URL,
	 .header = "Sec-WebSocket-Key: abc",
	 .answer = NODE_400,
	 .answers = {{DOCTOR_STANDARD, NULL, "@open"},
		     {DOCTOR_MINIMAL, NULL, "@open"}},
	 .cause = "client.bad-handshake",
	 .at_least = 0.8},
	{.name = "another Upgrade by hand, and an Origin beside it",
	 .url = URL,
	 .origin = "https://app.example",
	 .header = "Upgrade: h2c",
	 .answer = "@closed",
	 .answers = {{DOCTOR_STANDARD, NULL, "@open"}},
	 .cause = "client.bad-handshake",
	 .at_least = 0.8},
	{.name = "a forward proxy that takes the tunnel and cuts what is in it",
	 .url = "ws://chat.example/feed",
	 .proxy = "http://proxy.example:3128",
	 .answer = "@closed",
	 .answers = {{DOCTOR_DIRECT, NULL, "@open"},
		     {DOCTOR_PLAIN_GET, NULL, "@closed"}},
	 .cause = "net.proxy-denied",
	 .at_least = 0.6},
	{.name = "Caddy without a site for this Host",
	 .url = URL,
	 .answer = "HTTP/1.1 200 OK\nServer: Caddy\nContent-Length: 0\n\n",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 200 OK\nServer: Caddy\nContent-Length: 0\n\n"},
		     {DOCTOR_PLAIN_GET_PATH, NULL,
		      "HTTP/1.1 200 OK\nServer: Caddy\nContent-Length: 0\n\n"}},
	 .cause = "url.host",
	 .at_least = 0.4},
	{.name = "GraphQL at every path, and nothing else",
	 .url = "ws://127.0.0.1:8080/graphql",
	 .answer = APOLLO,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, APOLLO},
		     {DOCTOR_PATH, NULL, APOLLO},
		     {DOCTOR_PLAIN_GET_PATH, NULL, APOLLO}},
	 .cause = "server.no-websocket",
	 .at_least = 0.5},
	{.name = "polling finds nothing where the handshake waits in vain",
	 .url = "ws://127.0.0.1:8080/app/socket.io/?EIO=4&transport=websocket",
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NGINX_404},
		     {DOCTOR_POLLING, NULL, NGINX_404}},
	 .cause = "url.path",
	 .at_least = 0.4},
	{.name = "a plain GET is led to where the pages are",
	 .url = "ws://127.0.0.1:8080/",
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 302 Found\nLocation: /shop/\n\n"},
		     {DOCTOR_PATH, "/shop/", "@open"},
		     {DOCTOR_PATH, NULL, "@silent"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "an edge that refuses handshakes wherever they go",
	 .url = "wss://chat.example/feed",
	 .answer = EDGE_400,
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 200 OK\nServer: cloudflare\nCF-RAY: 1-A\n"
		      "Content-Type: text/html\n\n<html>Welcome</html>"},
		     {DOCTOR_PATH, NULL, EDGE_400}},
	 .cause = "server.cdn-websockets-off",
	 .at_least = 0.4},
	{.name = "cookies without end",
	 .url = URL,
	 .header = "Cookie: a=b",
	 .large = true,
	 .answer =
		 "HTTP/1.1 400 Bad Request\nServer: nginx\n\n<html><title>400 "
		 "Request Header Or Cookie Too Large</title></html>",
	 .cause = "client.headers-too-large",
	 .at_least = 0.9},
	{.name = "a page over https, a socket without",
	 .cause = "browser.mixed-content",
	 .url = "ws://chat.example/x",
	 .origin = "https://chat.example",
	 .answer = "@open",
	 .at_least = 0.5},
	{.name = "a page whose policy names others",
	 .url = URL,
	 .origin = HERE,
	 .answer = "@open",
	 .cause = "browser.csp",
	 .at_least = 0.8,
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      "HTTP/1.1 200 OK\nContent-Security-Policy: default-src "
		      "'self'; connect-src https://api.example\n\nhello"}}},
	{.name = "an Origin off the list",
	 .url = URL,
	 .origin = "https://evil.example",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "an Origin off the list, 401 by ws",
	 .url = URL,
	 .origin = "http://localhost:5173",
	 .answer = NODE_401,
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "an Origin off the list, 404 by Action Cable",
	 .url = "ws://127.0.0.1:8080/cable",
	 .origin = "https://evil.example",
	 .answer = "HTTP/1.1 404 Not Found\nContent-Type: text/plain\n"
		   "Content-Length: 14\n\nPage not found",
	 .answers = {{DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "an Origin off the list, closed after the 101",
	 .url = URL,
	 .origin = "https://evil.example",
	 .answer = "@close 1008",
	 .answers = {{DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "an Origin off the list, in Flask-SocketIO's 400",
	 .url = URL,
	 .origin = "https://evil.example",
	 .answer = "HTTP/1.1 400 Bad Request\n\n\"Not an accepted origin.\"",
	 .cause = "access.origin",
	 .at_least = 0.5},
	{.name = "Origin: null",
	 .url = URL,
	 .origin = "null",
	 .answer = UVICORN_403,
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "no Origin where one is wanted",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Access denied\n\n",
	 .answers = {{DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin-missing",
	 .at_least = 0.9},
	{.name = "a Host that is not allowed",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\n\nInvalid host header",
	 .answers = {{DOCTOR_HOST, "localhost:8080", "@open"}},
	 .cause = "access.host",
	 .at_least = 0.9},
	{.name = "an address that is not allowed",
	 .url = URL,
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_SOURCE, NULL, "@open"}},
	 .cause = "access.ip",
	 .at_least = 0.9},
	{.name = "a script's User-Agent",
	 .url = URL,
	 .agent = "Python/3.11",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}},
	 .cause = "access.user-agent",
	 .at_least = 0.9},
	{.name = "a wrong password",
	 .url = "ws://ann:wrong@127.0.0.1:8080/chat",
	 .answer = "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic "
		   "realm=\"x\"\n\n",
	 .cause = "access.credentials",
	 .at_least = 0.9},
	{.name = "a token that expired, in a close code",
	 .url = URL,
	 .answer = "@close 4401 token expired",
	 .cause = "access.credentials",
	 .at_least = 0.9},
	{.name = "a right token of the wrong role",
	 .url = URL,
	 .header = "Authorization: Bearer abc",
	 .answer = "HTTP/1.1 403 Forbidden\n\nForbidden",
	 .answers = {{DOCTOR_NO_CREDENTIALS, NULL,
		      "HTTP/1.1 401 Unauthorized\n\n"},
		     {DOCTOR_PLAIN_GET, NULL, NODE_426}},
	 .cause = "access.permission",
	 .at_least = 0.6},
	{.name = "a client certificate that nginx misses",
	 .url = TLS,
	 .asked_for_cert = true,
	 .answer = "HTTP/1.1 400 Bad Request\nServer: nginx\n\n<center>No "
		   "required SSL certificate was sent</center>",
	 .cause = "access.client-cert",
	 .at_least = 0.9},
	{.name = "a client certificate that Apache misses",
	 .url = TLS,
	 .asked_for_cert = true,
	 .answer = "HTTP/1.1 403 Forbidden\nServer: Apache/2.4.62\n\n<!DOCTYPE "
		   "HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<title>403 "
		   "Forbidden</title><h1>Forbidden</h1>\n<p>You don't have "
		   "permission to access this resource.</p>",
	 .cause = "access.client-cert",
	 .at_least = 0.6},
	{.name = "a client certificate by alert",
	 .url = TLS,
	 .answer = "@tls alert:certificate required",
	 .cause = "access.client-cert",
	 .at_least = 0.9},
	{.name = "too many",
	 .url = URL,
	 .answer = "HTTP/1.1 429 Too Many Requests\nRetry-After: 30\n\n",
	 .cause = "access.rate",
	 .at_least = 0.9},
	{.name = "Cloudflare's challenge",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\nServer: cloudflare\nCF-RAY: 8a\n"
		   "cf-mitigated: challenge\n\n<title>Just a moment...</title>",
	 .cause = "access.waf",
	 .at_least = 0.9},
	{.name = "a name that nobody has",
	 .url = "ws://nosuch.invalid/",
	 .answer = "@noname",
	 .cause = "net.dns",
	 .at_least = 0.9},
	{.name = "nobody at home",
	 .url = URL,
	 .answer = "@refused",
	 .cause = "net.refused",
	 .at_least = 0.6},
	{.name = "packets into the void",
	 .url = "ws://192.0.2.1/",
	 .answer = "@lost",
	 .cause = "net.timeout",
	 .at_least = 0.6},
	{.name = "a server that never answers",
	 .url = URL,
	 .answer = "@silent",
	 .cause = "net.timeout",
	 .at_least = 0.5},
	{.name = "a server that resets",
	 .url = URL,
	 .answer = "@reset",
	 .cause = "net.reset",
	 .at_least = 0.4},
	{.name = "IPv4 alone",
	 .url = "ws://[::1]:8080/",
	 .answer = "@refused",
	 .answers = {{DOCTOR_FAMILY, "4", "@open"}},
	 .cause = "net.address-family",
	 .at_least = 0.9},
	{.name = "a proxy that says no",
	 .url = URL,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "@proxy 403",
	 .answers = {{DOCTOR_DIRECT, NULL, "@open"}},
	 .cause = "net.proxy-denied",
	 .at_least = 0.7},
	{.name = "a proxy that wants a password",
	 .url = URL,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "@proxy 407",
	 .cause = "net.proxy-auth",
	 .at_least = 0.8},
	{.name = "a proxy that looks into TLS",
	 .url = TLS,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "HTTP/1.1 404 Not Found\nVia: 1.1 x (squid/5.7)\n\n",
	 .answers = {{DOCTOR_DIRECT, NULL, "@open"}},
	 .cause = "net.proxy-strips-upgrade",
	 .at_least = 0.8},
	{.name = "a proxy that has a page for destinations that are down",
	 .url = URL,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "HTTP/1.1 302 Found\nLocation: http://filter.test/sorry\n\n",
	 .answers = {{DOCTOR_DIRECT, NULL, "@refused"}},
	 .cause = "server.backend-down",
	 .at_least = 0.5},
	{.name = "a proxy that denies all, in front of what refuses others",
	 .url = URL,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "HTTP/1.1 403 Forbidden\nContent-Type: text/html\n\n"
		   "<h1>Denied</h1>",
	 .answers = {{DOCTOR_DIRECT, NULL, "@refused"}},
	 .cause = NULL,
	 .at_most = 0.82},
	{.name = "a redirect by the server, whom the proxy alone may reach",
	 .url = URL,
	 .proxy = "http://127.0.0.1:3128",
	 .answer = "HTTP/1.1 302 Found\nLocation: /login\n\n",
	 .answers = {{DOCTOR_DIRECT, NULL, "@refused"},
		     {DOCTOR_PATH, NULL, NGINX_404}},
	 .cause = "server.redirect",
	 .at_least = 0.5},
	{.name = "a name whose site is one of files",
	 .url = URL,
	 .host = "www.shop.example",
	 .answer = "HTTP/1.1 200 OK\nServer: nginx/1.22.1\n"
		   "Content-Type: text/html\nETag: \"6b03c300-15\"\n"
		   "Last-Modified: Mon, 02 Nov 2026 04:37:20 GMT\n"
		   "Accept-Ranges: bytes\n\n<html>Welcome</html>",
	 .answers = {{DOCTOR_PATH, NULL, NGINX_404}},
	 .cause = "url.host",
	 .at_least = 0.4},
	{.name = "a silence that is cut",
	 .url = URL,
	 .answer = "@open",
	 .answers = {{DOCTOR_HOLD, NULL, "@cut 3000"}},
	 .cause = "net.idle-timeout",
	 .at_least = 0.9},
	{.name = "a certificate of nobody",
	 .url = TLS,
	 .answer = "@tls untrusted",
	 .cause = "tls.untrusted",
	 .at_least = 0.9},
	{.name = "a certificate of last year",
	 .url = TLS,
	 .answer = "@tls expired",
	 .cause = "tls.expired",
	 .at_least = 0.9},
	{.name = "a certificate for others",
	 .url = TLS,
	 .answer = "@tls hostname",
	 .cause = "tls.hostname",
	 .at_least = 0.9},
	{.name = "TLS 1.1 alone",
	 .url = TLS,
	 .answer = "@tls version:protocol version",
	 .cause = "tls.version",
	 .at_least = 0.9},
	{.name = "a single page for every path",
	 .url = URL,
	 .answer =
		 "HTTP/1.1 200 OK\nServer: nginx/1.22.1\nETag: \"6b02fb2b-11\""
		 "\nAccept-Ranges: bytes\nContent-Type: text/html\n\n"
		 "<h1>Welcome</h1>",
	 .cause = "server.no-websocket",
	 .at_least = 0.5},
	{.name = "nginx without Upgrade before Tornado",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\n\n"
		   "Can \"Upgrade\" only to \"WebSocket\".",
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.9},
	{.name = "Apache without wstunnel before ws",
	 .url = URL,
	 .answer = NODE_426,
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.9},
	{.name = "Envoy without upgrade_configs",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\nserver: envoy\n"
		   "content-length: 0\n\n",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 200 OK\nserver: envoy\n\nhello"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.6},
	{.name = "a proxy that swallows the 101",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426},
		     {DOCTOR_UNFIT, NULL, RELAYED_400}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.9},
	{.name = "a proxy that changes Host",
	 .url = URL,
	 .origin = HERE,
	 .answer = TORNADO_403,
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "server.proxy-host",
	 .at_least = 0.6},
	{.name = "a proxy that loses the scheme",
	 .url = TLS,
	 .origin = "https://localhost:8443",
	 .answer = "HTTP/1.1 403 Forbidden\nServer: nginx\n\n",
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		     {DOCTOR_ORIGIN, "http://localhost:8443", "@open"}},
	 .cause = "server.proxy-proto",
	 .at_least = 0.6},
	{.name = "an application that trusts no proxy",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\n\nX-Forwarded-For from an "
		   "untrusted proxy",
	 .cause = "server.forwarded-untrusted",
	 .at_least = 0.8},
	{.name = "WebSockets off at Cloudflare",
	 .url = URL,
	 .answer =
		 "HTTP/1.1 400 Bad Request\nServer: cloudflare\nCF-RAY: 8a\n\n"
		 "WebSockets are disabled for this zone",
	 .cause = "server.cdn-websockets-off",
	 .at_least = 0.5},
	{.name = "a session of another node",
	 .url = "ws://127.0.0.1:8080/socket.io/?EIO=4&sid=x",
	 .answer = "HTTP/1.1 400 Bad Request\n\n{\"code\":1,\"message\":"
		   "\"Session ID unknown\"}",
	 .cause = "server.sticky-session",
	 .at_least = 0.8},
	{.name = "nobody behind nginx",
	 .url = URL,
	 .answer = "HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n<center>"
		   "<h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1"
		   "</center>",
	 .cause = "server.backend-down",
	 .at_least = 0.8},
	{.name = "version 8 alone",
	 .url = URL,
	 .answer =
		 "HTTP/1.1 426 Upgrade Required\nSec-WebSocket-Version: 8\n\n",
	 .answers = {{DOCTOR_VERSION, "8", "@open"}},
	 .cause = "server.version",
	 .at_least = 0.9},
	{.name = "a subprotocol that nobody speaks",
	 .url = URL,
	 .subprotocols = "chat.v1",
	 .cause = "server.subprotocol",
	 .answer = "HTTP/1.1 400 Bad Request\n\nUnsupported subprotocol, this "
		   "server speaks chat.v2",
	 .answers = {{DOCTOR_SUBPROTOCOL, "chat.v2", "@open chat.v2"}},
	 .at_least = 0.9},
	{.name = "a subprotocol that is not chosen",
	 .url = URL,
	 .subprotocols = "chat.v1",
	 .answer = "@open",
	 .cause = "server.subprotocol",
	 .at_least = 0.9},
	{.name = "graphql-ws, which is not graphql-ws",
	 .url = URL,
	 .subprotocols = "graphql-ws",
	 .answer = "@close 4406 Subprotocol not acceptable",
	 .cause = "server.subprotocol",
	 .at_least = 0.9},
	{.name = "a missing slash",
	 .url = "ws://127.0.0.1:8080/live",
	 .answer = "HTTP/1.1 301 Moved Permanently\nServer: nginx/1.22.1\n"
		   "Location: http://127.0.0.1:8080/live/\n\n",
	 .answers = {{DOCTOR_PATH, "/live/", "@open"}},
	 .cause = "server.redirect",
	 .at_least = 0.7},
	{.name = "HTTP/2 alone",
	 .url = TLS,
	 .answer = "@tls alert:no application protocol",
	 .answers = {{DOCTOR_H2, NULL, "@h2 HTTP/1.1 404 Not Found\n\n"}},
	 .cause = "server.http2",
	 .at_least = 0.95},
	{.name = "HTTP/2 alone, where WebSocket is spoken in it",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_H2, NULL, "@h2open"}},
	 .cause = "server.http2",
	 .at_least = 0.95},
	{.name = "Socket.IO behind two nodes that take turns",
	 .url = "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket",
	 .answer = "@open",
	 .answers = {{DOCTOR_POLLING, NULL,
		      "HTTP/1.1 200 OK\n\n0{\"sid\":\"Ab_1\",\"upgrades\":[]}"},
		     {DOCTOR_SESSION, NULL,
		      "HTTP/1.1 400 Bad Request\n\n"
		      "{\"code\":1,\"message\":\"Session ID unknown\"}"}},
	 .cause = "server.sticky-session",
	 .at_least = 0.9},
	{.name = "Socket.IO that finds its sessions again",
	 .url = "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket",
	 .answer = "@open",
	 .answers =
		 {{DOCTOR_POLLING, NULL,
		   "HTTP/1.1 200 OK\n\n0{\"sid\":\"Ab_1\",\"upgrades\":[]}"}},
	 .cause = "ok",
	 .at_least = 0.9},
	{.name = "two servers of which one has lost its backend",
	 .url = URL,
	 .origin = "https://a.example",
	 .answer = "HTTP/1.1 502 Bad Gateway\n\n || @open",
	 .cause = "server.backend-down"},
	{.name = "two servers, and the second refuses",
	 .url = URL,
	 .answer = "@open || HTTP/1.1 403 Forbidden\n\ninvalid token",
	 .cause = "access.credentials"},
	{.name = "two servers of which one has an old list of origins",
	 .url = URL,
	 .origin = "https://a.example",
	 .answer = "HTTP/1.1 403 Forbidden\n\norigin not allowed || @open",
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "a connection that is reset once, and never again",
	 .url = URL,
	 .answer = "@reset >> @open",
	 .cause = "net.reset",
	 .at_least = 0.8},
	{.name = "a gateway whose application had only just started",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Unavailable\n\n >> @open",
	 .cause = "server.backend-down",
	 .at_least = 0.8},
	{.name = "nobody who listens, until somebody does",
	 .url = URL,
	 .answer = "@refused >> @open",
	 .cause = "net.refused",
	 .at_least = 0.8},
	{.name = "a URL of http that opens",
	 .url = "http://127.0.0.1:8080/chat",
	 .answer = "@open",
	 .cause = "url.scheme",
	 .at_least = 0.9},
	{.name = "a page on https and a URL of ws",
	 .url = "ws://chat.example/x",
	 .page = "https://app.example/",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL, "HTTP/1.1 200 OK\n\n<html>"}},
	 .cause = "browser.mixed-content",
	 .at_least = 0.9},
	{.name = "a page on https, refused as well",
	 .url = "ws://chat.example/x",
	 .page = "https://app.example/",
	 .answer = NGINX_403,
	 .cause = "browser.mixed-content",
	 .at_least = 0.8},
	{.name = "a page whose policy lists another host",
	 .url = TLS,
	 .page = "https://app.example/",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL,
		      "HTTP/1.1 200 OK\nContent-Security-Policy: default-src "
		      "'self'; connect-src 'self' wss://x.example\n\n<html>"}},
	 .cause = "browser.csp",
	 .at_least = 0.9},
	{.name = "a policy that only reports",
	 .url = TLS,
	 .page = "https://app.example/",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL,
		      "HTTP/1.1 200 OK\nContent-Security-Policy-Report-Only: "
		      "connect-src 'self'\n\n<html>"}},
	 .cause = "ok",
	 .at_least = 0.9},
	{.name = "a challenge that comes as 429",
	 .url = URL,
	 .answer = "HTTP/1.1 429 Too Many Requests\nX-Vercel-Mitigated: "
		   "challenge\n\n<p>We're verifying your browser</p>",
	 .cause = "access.waf",
	 .at_least = 0.8},
	{.name = "a CDN that says that it hands no WebSocket on",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\nServer: BunnyCDN-DE1-1048\n\n"
		   "WebSockets are not enabled for this pull zone.",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 400 Bad Request\nServer: BunnyCDN-DE1-1048\n"
		      "Sec-WebSocket-Version: 13\n\nBad Request"}},
	 .cause = "server.cdn-websockets-off",
	 .at_least = 0.6},
	{.name = "a body that is announced by hand and never comes",
	 .url = URL,
	 .header = "Content-Length: 64",
	 .answer = "@closed late",
	 .answers = {{DOCTOR_MINIMAL, NULL, "@open"}},
	 .cause = "client.bad-handshake",
	 .at_least = 0.8},
	{.name = "a forward proxy that agrees, and then is silent",
	 .url = URL,
	 .proxy = "socks5://127.0.0.1:1080",
	 .answer = "@silent",
	 .answers = {{DOCTOR_DIRECT, NULL, "@open"}},
	 .cause = "net.timeout",
	 .at_least = 0.7},
	{.name = "a program that fails whatever is asked of it",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PATH, NULL, "HTTP/1.1 404 Not Found\n\nno"},
		     {DOCTOR_PLAIN_GET_PATH, NULL,
		      "HTTP/1.1 404 Not Found\n\nno"}},
	 .cause = "net.reset",
	 .at_least = 0.7},
	{.name = "a page in a sandbox where no script runs",
	 .url = TLS,
	 .page = "https://app.example/",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL, IN_SANDBOX("")}},
	 .cause = "browser.csp",
	 .at_least = 0.9},
	{.name = "a page in a sandbox, whose Origin is therefore refused",
	 .url = TLS,
	 .page = "https://app.example/",
	 .origin = "https://app.example",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL, IN_SANDBOX("allow-scripts")},
		     {DOCTOR_ORIGIN, "null", NGINX_403}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "a page in a sandbox, whose Origin nobody minds",
	 .url = TLS,
	 .page = "https://app.example/",
	 .origin = "https://app.example",
	 .answer = "@open",
	 .answers = {{DOCTOR_PAGE, NULL, IN_SANDBOX("allow-scripts")}},
	 .cause = "ok",
	 .at_least = 0.9},
	{.name = "a backend that opens when it is asked directly",
	 .url = URL,
	 .backend = "http://127.0.0.1:3000",
	 .answer = "HTTP/1.1 400 Bad Request\n\nBad Request",
	 .answers = {{DOCTOR_BACKEND, NULL, "@open"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.8},
	{.name = "a backend that wants the public Host",
	 .url = URL,
	 .origin = HERE,
	 .backend = "http://127.0.0.1:3000",
	 .answer = "HTTP/1.1 403 Forbidden\n\n",
	 .answers = {{DOCTOR_BACKEND, "127.0.0.1:8080", "@open"}},
	 .cause = "server.proxy-host",
	 .at_least = 0.9},
	{.name = "a backend that is not there",
	 .url = URL,
	 .backend = "http://127.0.0.1:3000",
	 .answer = "HTTP/1.1 503 Service Unavailable\n\n",
	 .answers = {{DOCTOR_BACKEND, NULL, "@refused"}},
	 .cause = "server.backend-down",
	 .at_least = 0.9},
	{.name = "an Accept that does not fit",
	 .url = URL,
	 .answer = "@bad101",
	 .cause = "server.bad-accept",
	 .at_least = 0.8},
	{.name = "a full house",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Unavailable\n\nServer full",
	 .cause = "server.limit",
	 .at_least = 0.8},
	{.name = "a crash",
	 .url = URL,
	 .answer =
		 "HTTP/1.1 500 Internal Server Error\n\nInternal Server Error",
	 .cause = "server.app-rejected",
	 .at_least = 0.4},
	{.name = "a code of the application's own",
	 .url = URL,
	 .answer = "@close 4242 no",
	 .cause = "server.app-rejected",
	 .at_least = 0.4},
	{.name = "a path that only the site's own script knows",
	 .url = URL,
	 .answer = UVICORN_403,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 404 N\n\n"},
		     {DOCTOR_PLAIN_GET_PATH, "/",
		      "HTTP/1.1 200 OK\n\n<!doctype html>"
		      "<script defer src=\"/assets/app.js\"></script>"},
		     {DOCTOR_PLAIN_GET_PATH, "/assets/app.js",
		      "HTTP/1.1 200 OK\n\nvar u = 'ws://' + location.host +"
		      " '/rt/feed/'; new WebSocket(u)"},
		     {DOCTOR_PATH, "/rt/feed/", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a library that says where its server listens",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\n\n",
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		      "HTTP/1.1 200 OK\n\n<script src=/js/action-cable.js>"},
		     {DOCTOR_PATH, "/cable", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a page that opens its WebSocket at another port",
	 .url = URL,
	 .answer = "HTTP/1.1 200 OK\n\n<script>new WebSocket('ws://' +"
		   " location.hostname + ':8081/')</script>",
	 .answers = {{DOCTOR_PORT, "8081", "@open"}},
	 .cause = "url.port",
	 .at_least = 0.6},
	{.name = "a firewall that finds a path in the query",
	 .url = "ws://127.0.0.1:8080/chat?file=../../etc/hosts",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_NO_QUERY, NULL, "@open"}},
	 .cause = "access.waf",
	 .at_least = 0.9},
	{.name = "a firewall that finds code in a field",
	 .url = URL,
	 .header = "X-Trace: ${jndi:ldap://a.example/b}",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_NO_HEADER, NULL, "@open"},
		     {DOCTOR_MINIMAL, NULL, "@open"}},
	 .cause = "access.waf",
	 .at_least = 0.9},
	{.name = "a route that is for plain requests alone",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\n\n<h1>Bad Request</h1>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\nhello"},
		     {DOCTOR_PATH, NULL, "HTTP/1.1 404 N\n\nno"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.4},
	{.name = "a page that has a sentence of the day",
	 .url = URL,
	 .origin = "https://a.example",
	 .answer = "HTTP/1.1 404 N\n\n<p>Nobody knows where this page went, "
		   "and nobody will look for it. Alas</p> || "
		   "HTTP/1.1 404 N\n\n<p>Nobody knows where this page went, "
		   "and nobody will look for it. Behind you</p> || "
		   "HTTP/1.1 404 N\n\n<p>Nobody knows where this page went, "
		   "and nobody will look for it. Onward</p>",
	 .answers = {{DOCTOR_PATH, "/ws", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a naked backend beside a proxy that minds the Origin",
	 .url = URL,
	 .origin = "https://a.example",
	 .answer = "@closed",
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		     {DOCTOR_PORT, NULL, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "an upgrade that nobody claims",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 404 N\n\nno"},
		     {DOCTOR_PATH, "/ws", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a server that takes the first subprotocol, whatever it is",
	 .url = "ws://127.0.0.1:8080/graphql",
	 .answer = "@close 1002 ",
	 .answers = {{DOCTOR_SUBPROTOCOL, "graphql-ws", "@open graphql-ws"}},
	 .cause = "server.subprotocol",
	 .at_least = 0.9},
	{.name = "the base of a SockJS that has no bare socket",
	 .url = "ws://127.0.0.1:8080/chat",
	 .answer = "HTTP/1.1 200 OK\n\nWelcome to SockJS!\n",
	 .answers = {{DOCTOR_PATH, "/chat/000/sesame/websocket",
		      "@told open o"},
		     {DOCTOR_PATH, NULL, "HTTP/1.1 404 N\n\nno"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "SockJS without its WebSocket",
	 .url = "ws://127.0.0.1:8080/chat/websocket",
	 .answer = "HTTP/1.1 404 N\n\nnot found",
	 .answers = {{DOCTOR_PLAIN_GET_PATH, "/chat/info",
		      "HTTP/1.1 200 OK\n\n{\"websocket\":false,"
		      "\"entropy\":1}"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.9},
	{.name = "engine.io of which polling alone is on",
	 .url = "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket",
	 .answer = "HTTP/1.1 400 B\n\nbad",
	 .answers = {{DOCTOR_POLLING, NULL,
		      "HTTP/1.1 200 OK\n\n0{\"sid\":\"a\",\"upgrades\":[]}"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.7},
	{.name = "engine.io that does not know the transport, and offers none "
		 "beside polling",
	 .url = "ws://127.0.0.1:8080/socket.io/?EIO=4&transport=websocket",
	 .answer = "HTTP/1.1 400 Bad Request\nContent-Type: "
		   "application/json\n\n{\"code\":0,\"message\":"
		   "\"Transport unknown\"}",
	 .answers = {{DOCTOR_POLLING, NULL,
		      "HTTP/1.1 200 OK\n\n0{\"sid\":\"a\",\"upgrades\":[]}"},
		     {DOCTOR_PATH, NULL, "HTTP/1.1 404 N\n\nno"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.8},
	{.name = "the own Origin is another than the Host that arrives",
	 .url = "ws://localhost:8080/socket.io/?EIO=4&transport=websocket",
	 .origin = "http://localhost:8080",
	 .answer = "HTTP/1.1 400 Bad Request\nServer: Caddy\n\n"
		   "Origin host does not match request host",
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		     {DOCTOR_POLLING, NULL,
		      "HTTP/1.1 403 Forbidden\nServer: Caddy\n\n"
		      "{\"code\":4,\"message\":\"Forbidden\"}"}},
	 .cause = "server.proxy-host",
	 .at_least = 0.7},
	{.name = "XMPP at the path where it always is",
	 .url = "ws://127.0.0.1:8080/websocket",
	 .subprotocols = "xmpp",
	 .answer = "HTTP/1.1 404 N\n\nno",
	 .answers = {{DOCTOR_PATH, "/xmpp-websocket", "@open xmpp"}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "413 is about size, though the cookie is a credential",
	 .url = URL,
	 .header = "Cookie: prefs=1",
	 .large = true,
	 .answer = "HTTP/1.1 413 Payload Too Large\nDate: x\n\nno",
	 .answers = {{DOCTOR_NO_CREDENTIALS, NULL, "@open"}},
	 .cause = "client.headers-too-large",
	 .at_least = 0.9},
	{.name = "a plan that does not include it",
	 .url = URL,
	 .header = "Authorization: Bearer x",
	 .answer = "HTTP/1.1 402 Payment Required\nServer: Python/3.11 "
		   "aiohttp/3.8\n\n{\"error\":\"upgrade to the paid plan\"}",
	 .cause = "access.permission",
	 .at_least = 0.8},
	{.name = "a token without the scope, where no token gets the same",
	 .url = URL,
	 .header = "Authorization: Bearer x",
	 .answer = "HTTP/1.1 403 Forbidden\nServer: Python/3.11 aiohttp/3.8\n"
		   "\n{\"title\":\"Forbidden\",\"detail\":\"Token lacks scope "
		   "a:b\"}",
	 .answers = {{DOCTOR_PATH, NULL,
		      "HTTP/1.1 404 Not Found\n\n404: Not Found"}},
	 .cause = "access.permission",
	 .at_least = 0.8},
	{.name = "a token that is malformed, told by 400 to a plain GET as "
		 "well",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\nContent-Type: "
		   "application/json\n\n{\"message\":\"missing or malformed "
		   "jwt\"}",
	 .cause = "access.credentials",
	 .at_least = 0.9},
	{.name = "a GraphQL endpoint behind a proxy, without the Upgrade",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\n"
		   "Content-Type: application/json\n\n{\"data\":null,"
		   "\"errors\":[{\"message\":\"Unknown query\"}]}",
	 .answers = {{DOCTOR_PATH, NULL,
		      "HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n\nno"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.7},
	{.name = "no proxy to be seen, and Node hears no upgrade",
	 .url = URL,
	 .answer = "HTTP/1.1 200 OK\nX-Powered-By: Express\n\n[]",
	 .answers = {{DOCTOR_PATH, NULL,
		      "HTTP/1.1 404 Not Found\nX-Powered-By: Express\n\n{}"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.55},
	{.name = "the same behind a proxy",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n"
		   "X-Powered-By: Express\n\n<pre>Cannot GET /chat</pre>",
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.45},
	{.name = "a relay that cannot pass the Upgrade on",
	 .url = URL,
	 .answer = "HTTP/1.1 500 Internal Server Error\nContent-Type: "
		   "application/json\n\n{\"statusCode\":500,\"code\":"
		   "\"FST_REPLY_FROM_INTERNAL_SERVER_ERROR\",\"message\":"
		   "\"invalid upgrade header\"}",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 400 Bad Request\n\nno"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.7},
	{.name = "ws at another path",
	 .url = URL,
	 .answer = NODE_400,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426}},
	 .cause = "url.path",
	 .at_least = 0.6},
	{.name = "a protocol error before anything was said",
	 .url = URL,
	 .answer = "@close 1002",
	 .cause = "server.subprotocol",
	 .at_least = 0.5},
	{.name = "a proxy that lets all pass but the Upgrade",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n\n"
		   "<center><h1>404 Not Found</h1></center>\n"
		   "<hr><center>nginx/1.22.1</center>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 400 Bad Request\nServer: TornadoServer/6.2\n"
		      "Content-Type: text/html; charset=UTF-8\n\n"
		      "Can \"Upgrade\" only to \"WebSocket\"."}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.7},
	{.name = "a 404 without a head, at a port that speaks HTTP",
	 .url = URL,
	 .answer = "@raw Error 404: Not Found\nNot found",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\nhello"}},
	 .cause = "url.path",
	 .at_least = 0.8},
	{.name = "an Origin and a 403 that plain requests do not get",
	 .url = URL,
	 .origin = "https://b.example",
	 .answer = "HTTP/1.1 403 Forbidden\n\n",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 404 Not Found\n\nno"}},
	 .cause = "access.origin",
	 .at_least = 0.6},
	{.name = "an application that is closed for maintenance",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Unavailable\nServer: Python/3.11 "
		   "aiohttp/3.8\n\nDown for maintenance",
	 .cause = "server.app-rejected",
	 .at_least = 0.5},
	{.name = "the inspector, asked for a target that it has not",
	 .url = URL,
	 .answer = "HTTP/1.0 400 Bad Request\nContent-Type: text/html\n\n"
		   "WebSockets request was expected\n",
	 .cause = "url.path",
	 .at_least = 0.7},
	{.name = "uvicorn without a library for it",
	 .url = URL,
	 .answer = "HTTP/1.1 400 Bad Request\nContent-Type: text/plain\n"
		   "Connection: close\n\nUnsupported upgrade request.",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 404 Not Found\nServer: uvicorn\n\n{}"}},
	 .cause = "server.no-websocket",
	 .at_least = 0.7},
	{.name = "an application that is full",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Unavailable\nServer: Python/3.11 "
		   "aiohttp/3.8\n\ntoo many open sockets for this server",
	 .cause = "server.limit",
	 .at_least = 0.8},
	{.name = "a country that is not served",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\n\nnot available in your country",
	 .cause = "access.ip",
	 .at_least = 0.8},
	{.name = "a name that TLS does not know has sent no Host yet",
	 .url = "wss://ws.example/",
	 .answer = "@tls alert:unrecognized name",
	 .cause = "url.host",
	 .at_least = 0.7},
	{.name = "a parameter that only the site's own script sends",
	 .url = URL,
	 .answer = NODE_400,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426},
		     {DOCTOR_PLAIN_GET_PATH, "/",
		      "HTTP/1.1 200 OK\n\n<script>new WebSocket(base + "
		      "`/chat?room=${id}`)</script>"}},
	 .cause = "url.query",
	 .at_least = 0.4},
	{.name = "a subprotocol that only the site's own script offers",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 200 OK\n\n<script src=/c.js></script>"},
		     {DOCTOR_PLAIN_GET_PATH, "/c.js",
		      "HTTP/1.1 200 OK\n\nnew WebSocket(u, \"hmr-7\")"},
		     {DOCTOR_SUBPROTOCOL, "hmr-7", "@open hmr-7"}},
	 .cause = "server.subprotocol",
	 .at_least = 0.9},
	{.name = "a subprotocol that leads to silence is not the right one",
	 .url = URL,
	 .subprotocols = "a",
	 .answer = NODE_400,
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426},
		     {DOCTOR_SUBPROTOCOL, NULL, "@silent"},
		     {DOCTOR_NO_SUBPROTOCOL, NULL, "@silent"}},
	 .cause = "url.path",
	 .at_least = 0.5},
	{.name = "a reason in a field",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\nX-WebSocket-Reject-Reason: "
		   "Unsupported subprotocol: expected talk-protocol\n\n",
	 .answers = {{DOCTOR_SUBPROTOCOL, "talk-protocol",
		      "@open talk-protocol"}},
	 .cause = "server.subprotocol",
	 .at_least = 0.9},
	{.name = "a refusal in HTTP behind a 101",
	 .url = URL,
	 .answer = "@tunnel HTTP/1.1 400 Bad Request\r\n\r\n"
		   "Unsupported protocol version",
	 .cause = "url.query",
	 .at_least = 0.7},
	{.name = "nginx lets one address in",
	 .url = URL,
	 .answer = NGINX_403,
	 .cause = "access.ip",
	 .at_least = 0.4},
	{.name = "nginx lists no directory",
	 .url = "ws://127.0.0.1:8080/",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_PATH, "/ws", "@open"},
		     {DOCTOR_PATH, NULL, NGINX_404}},
	 .cause = "url.path",
	 .at_least = 0.9},
	{.name = "a name of this machine that the server does not know",
	 .url = "ws://dev.example:8080/chat",
	 .local = true,
	 .answer = "HTTP/1.1 403 Forbidden\n\n",
	 .answers = {{DOCTOR_HOST, "localhost:8080", "@open"}},
	 .cause = "access.host",
	 .at_least = 0.7},
	{.name = "a redirect to the name that is served",
	 .url = URL,
	 .answer = "HTTP/1.1 301 Moved Permanently\n"
		   "Location: http://www.shop.example:8080/chat\n\n",
	 .answers = {{DOCTOR_HOST, "www.shop.example:8080", "@open"}},
	 .cause = "server.redirect",
	 .at_least = 0.7},
	{.name = "a version that nobody speaks",
	 .url = URL,
	 .header = "Sec-WebSocket-Version: 12",
	 .answer = NODE_400,
	 .answers = {{DOCTOR_VERSION, "13", "@open"}},
	 .cause = "client.bad-handshake",
	 .at_least = 0.6},
	{.name = "a token that does not reach so far",
	 .url = URL,
	 .header = "Authorization: Bearer abc",
	 .answer = "HTTP/1.1 403 Forbidden\nWWW-Authenticate: Bearer "
		   "error=\"insufficient_scope\"\n\n",
	 .cause = "access.permission",
	 .at_least = 0.7},
	{.name = "a Connection field by hand",
	 .url = URL,
	 .header = "Connection: keep-alive",
	 .answer = "HTTP/1.1 400 B\n\nNo CONNECTION upgrade hdr: keep-alive",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 400 B\n\nNo CONNECTION upgrade hdr: close"},
		     {DOCTOR_STANDARD, NULL, "@open"},
		     {DOCTOR_MINIMAL, NULL, "@open"}},
	 .cause = "client.bad-handshake",
	 .at_least = 0.8},
	{.name = "a Connection that a proxy replaces, told in other words",
	 .url = URL,
	 .answer = "HTTP/1.1 400 B\n\nNo CONNECTION upgrade hdr: close",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 400 B\n\nNo CONNECTION upgrade hdr: None"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.8},
	{.name = "an address that has used up its share",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Temporarily Unavailable\n"
		   "Server: nginx\n\n<html><center><h1>503 Service "
		   "Temporarily Unavailable</h1></center>\n<hr><center>nginx"
		   "</center></html>",
	 .answers = {{DOCTOR_SOURCE, NULL, "@open"}},
	 .cause = "access.rate",
	 .at_least = 0.7},
	{.name = "a relay that cannot connect",
	 .url = URL,
	 .answer = "@close 1011 Failed to connect to db:5900",
	 .cause = "server.backend-down",
	 .at_least = 0.6},

	{.name = "a 404 without words is a path that no guess has found",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\n\n",
	 .cause = "url.path",
	 .at_least = 0.3,
	 .at_most = 0.87},
	{.name = "another path takes handshakes, so the server has them",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\nContent-Type: text/html\n\n"
		   "<pre>Cannot GET /chat</pre>",
	 .answers = {{DOCTOR_PATH, "/", "@close 1008 go away"}},
	 .cause = "url.path",
	 .at_least = 0.7},
	{.name = "closed after a second at every path",
	 .url = URL,
	 .answer = "@closed late",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 400 B\n\n"}},
	 .cause = "url.path",
	 .at_most = 0.89},
	{.name = "a gateway's error for the handshake alone",
	 .url = URL,
	 .answer = "HTTP/1.1 502 Bad Gateway\n\n<html><h1>502 Bad "
		   "Gateway</h1></html>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, NODE_426}},
	 .cause = "server.proxy-upgrade",
	 .at_most = 0.89},
	{.name = "an own Origin that is refused with either scheme",
	 .url = TLS,
	 .origin = "https://localhost:8443",
	 .answer = "HTTP/1.1 403 Forbidden\n\n",
	 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}},
	 .cause = "server.proxy-host",
	 .at_least = 0.4,
	 .at_most = 0.87},
	{.name = "a query that a firewall drops, where HTTP/2 is spoken, too",
	 .url = URL "?q=select%20*%20from%20users%20where%201=1",
	 .answer = "@closed",
	 .answers = {{DOCTOR_PATH, "/sesame-no-such-path", "@open"},
		     {DOCTOR_H2, NULL, "@h2 HTTP/2 200\n\n"},
		     {DOCTOR_NO_QUERY, NULL, "@open"}},
	 .cause = "access.waf",
	 .at_least = 0.78},
	{.name = "an Origin that is missed without a word",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PATH, "/sesame-no-such-path", NGINX_404},
		     {DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin-missing",
	 .at_least = 0.9},
	{.name = "an Origin that is missed in silence",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\n<p>hello"},
		     {DOCTOR_PLAIN_GET_PATH, NULL, "HTTP/1.1 200 OK\n\nhi"},
		     {DOCTOR_SCHEME, NULL, "@tls not-tls"},
		     {DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin-missing",
	 .at_least = 0.9},
	{.name = "a foreign Origin that is sent home",
	 .url = URL,
	 .origin = "http://preview.example",
	 .answer = "HTTP/1.1 302 Found\nLocation: http://127.0.0.1:8080/\n\n",
	 .answers = {{DOCTOR_PATH, "/", "HTTP/1.1 200 OK\n\nhome"},
		     {DOCTOR_NO_ORIGIN, NULL, "@open"},
		     {DOCTOR_ORIGIN, HERE, "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.9},
	{.name = "a User-Agent that is answered with 405",
	 .url = URL,
	 .agent = "okhttp/4.12.0",
	 .answer = "HTTP/1.1 405 Not Allowed\n\n",
	 .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}},
	 .cause = "access.user-agent",
	 .at_least = 0.9},
	{.name = "a signed link that is gone",
	 .url = URL "?md5=6-bi2jbt8c67zUFHDZWhA&expires=1700000000",
	 .answer = "HTTP/1.1 410 Gone\n\n",
	 .answers = {{DOCTOR_PATH, NULL, NGINX_404}},
	 .cause = "access.credentials",
	 .at_least = 0.4},
	{.name = "an application that is asked over AJP",
	 .url = URL,
	 .answer = "HTTP/1.1 500 500\n\nHTTP upgrade is not supported by "
		   "this protocol",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 404 404\n\n"}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.7},
	{.name = "raw fields of an answer within its body are no sentence",
	 .url = URL,
	 .origin = "http://shop.example",
	 .answer = "HTTP/1.1 400 Bad Request\n\nHTTP/1.1 400 Bad Request\r\n"
		   "Access-Control-Allow-Origin: *\r\nVary: Origin\r\n\r\n",
	 .cause = NULL,
	 .at_most = 0.82},
	{.name = "a server that speaks for itself before it closes what was "
		 "idle",
	 .url = URL,
	 .answer = "@open",
	 .answers = {{DOCTOR_HOLD, NULL,
		      "@told close [0,401,\"reauthenticate\"]"}},
	 .cause = "access.credentials",
	 .at_least = 0.8},
	{.name = "a close that tells of the status of a handler",
	 .url = URL,
	 .answer = "@close 1008 Policy Violation (handler responded with HTTP "
		   "status 401)",
	 .cause = "access.credentials",
	 .at_least = 0.7},
	{.name = "a staging site where a list has the site's own name",
	 .url = URL,
	 .origin = "https://staging.shop.example",
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_ORIGIN, "https://shop.example", "@open"}},
	 .cause = "access.origin",
	 .at_least = 0.95},
	{.name = "a foreign Origin and a 403 for whatever is changed",
	 .url = URL,
	 .origin = "https://shop.example",
	 .answer = NGINX_403,
	 .cause = "access.origin",
	 .at_least = 0.4},
	{.name = "a web server's own 403 at one path",
	 .url = URL,
	 .answer = NGINX_403,
	 .answers = {{DOCTOR_PATH, "/sesame-no-such-path",
		      "HTTP/1.1 200 OK\n\nhi"}},
	 .cause = "access.ip",
	 .at_least = 0.2,
	 .at_most = 0.7},
	{.name = "a path that leads to another server than others",
	 .url = URL,
	 .answer = "HTTP/1.1 404 Not Found\nServer: Caddy\n"
		   "Content-Length: 0\n\n",
	 .answers = {{DOCTOR_PATH, "/chat/",
		      "HTTP/1.1 404 Not Found\nServer: Caddy\n"
		      "Content-Length: 0\n\n"},
		     {DOCTOR_PATH, NULL,
		      "HTTP/1.1 200 OK\nServer: Caddy\n"
		      "Content-Length: 0\n\n"},
		     {DOCTOR_PLAIN_GET_PATH, "/",
		      "HTTP/1.1 200 OK\nServer: Caddy\n"
		      "Content-Length: 0\n\n"}},
	 .cause = "url.path",
	 .at_least = 0.3},
	{.name = "503 for handshakes alone, before who is up",
	 .url = URL,
	 .answer = "HTTP/1.1 503 Service Unavailable\nServer: "
		   "Microsoft-IIS/10.0\n\nThe service is unavailable.",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 426 Upgrade Required\nUpgrade: websocket\n\n"
		      "upgrade required"}},
	 .cause = "server.cdn-websockets-off",
	 .at_least = 0.4},
	{.name = "a site of files before which nobody is asked",
	 .url = URL,
	 .answer = "HTTP/1.1 200 OK\nServer: nginx/1.22.1\nLast-Modified: Mon, "
		   "01 Jun 2026 10:00:00 GMT\nAccept-Ranges: bytes\n"
		   "Content-Type: text/html\n\n<h1>welcome</h1>",
	 .answers = {{DOCTOR_PATH, NULL, NGINX_404}},
	 .cause = "server.no-websocket",
	 .at_least = 0.3},
	{.name = "a gateway that passes refusals on, and loses the 101",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\ngame"},
		     {DOCTOR_UNFIT, NULL, RELAYED_400}},
	 .cause = "server.proxy-upgrade",
	 .at_least = 0.9},
	{.name = "a program that lets handshakes wait which nobody takes",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\ngame"},
		     {DOCTOR_PLAIN_GET_PATH, NULL, NGINX_404},
		     {DOCTOR_SCHEME, NULL, "@tls not-tls"}},
	 /* or one that looks at the subprotocol, or at nothing */
	 .cause = "url.path",
	 .at_least = 0.3,
	 .at_most = 0.6},
	{.name = "a development proxy whose application is down",
	 .url = URL,
	 .answer = "@closed",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 500 Internal Server Error\n\n"},
		     {DOCTOR_PLAIN_GET_PATH, NULL,
		      "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>"
		      "new WebSocket(`ws://${h}/?token=${t}`)</script>"},
		     {DOCTOR_PATH, NULL, "@silent"}},
	 .cause = "server.backend-down",
	 .at_least = 0.5},
	{.name = "a path that a page has for handshakes, where others wait",
	 .url = URL,
	 .answer = "@silent",
	 .answers = {{DOCTOR_PLAIN_GET, NULL,
		      "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>"
		      "new WebSocket(`ws://${location.host}/hot`)</script>"},
		     {DOCTOR_PATH, "/hot", "@open"}},
	 .cause = "url.path",
	 .at_least = 0.95},
	{.name = "an application that ends every handshake behind a gateway",
	 .url = URL,
	 .answer = "HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n"
		   "<hr><center>nginx/1.22.1</center>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\ngame"},
		     {DOCTOR_PLAIN_GET_PATH, NULL, "HTTP/1.1 200 OK\n\ngame"}},
	 .cause = "server.backend-down",
	 .at_least = 0.4},
	{.name = "a gateway that speaks HTTP/2 to what is behind",
	 .url = URL,
	 .answer = "HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n"
		   "<hr><center>nginx/1.22.1</center>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 \n\ngame"},
		     {DOCTOR_PLAIN_GET_PATH, NULL, "HTTP/1.1 200 \n\ngame"}},
	 .cause = "server.http2",
	 .at_least = 0.4},
	{.name = "a gateway that makes an error of the 101",
	 .url = URL,
	 .answer = "HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n"
		   "<hr><center>nginx/1.22.1</center>",
	 .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\ngame"},
		     {DOCTOR_PLAIN_GET_PATH, NULL, "HTTP/1.1 200 OK\n\ngame"},
		     {DOCTOR_UNFIT, NULL, NODE_400}},
	 .cause = "server.bad-accept",
	 .at_least = 0.5},

	/* Traps: what must not be said too loudly. */
	{.name = "a bare 403 by ASGI is not yet an Origin",
	 .url = URL,
	 .origin = "https://evil.example",
	 .answer = UVICORN_403,
	 .cause = NULL,
	 .at_most = 0.89},
	{.name = "a bare 403 without Origin is nobody's",
	 .url = URL,
	 .answer = "HTTP/1.1 403 Forbidden\n\n",
	 .cause = NULL,
	 .at_most = 0.82},
};

static double probability(const struct bed *b, const char *cause)
{
	int c = why_cause_find(bytes_of_str(cause));

	assert_true(c >= 0);
	return b->opinion.p[c];
}

TEST("every patient gets the diagnosis that fits, as sure as it may be")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		const struct patient *p = &patients[i];
		const char *got;

		bed_examine(&b, p);
		got = why_cause(b.verdict.cause)->id;
		if (p->cause && strcmp(got, p->cause) != 0)
			fail_msg("%s: %s (%.2f), not %s (%.2f)", p->name, got,
				 b.verdict.confidence, p->cause,
				 probability(&b, p->cause));
		if (b.verdict.confidence < p->at_least)
			fail_msg("%s: only %.2f sure", p->name,
				 b.verdict.confidence);
		if (p->at_most > 0 && b.verdict.confidence > p->at_most)
			fail_msg("%s: %s, and %.2f sure", p->name, got,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("every cause has a patient")
{
	size_t missing = 0;

	for (int c = 0; c < WHY_N_CAUSES; c++) {
		const char *id = why_cause((enum why_cause)c)->id;
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(patients); i++)
			found |= patients[i].cause &&
				 strcmp(patients[i].cause, id) == 0;
		if (!found)
			print_message("no patient: %s\n", id);
		missing += !found;
	}
	assert_int_equal(missing, 0);
}

TEST("probabilities sum to one, and some doubt always remains")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		double sum = 0;

		bed_examine(&b, &patients[i]);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			sum += b.opinion.p[c];
		assert_true(sum > 0.999 && sum < 1.001);
		assert_true(b.verdict.confidence < 0.995);
		bed_strip(&b);
	}
}

TEST("every symptom has a prior")
{
	for (int k = 0; k < DOCTOR_N_FINDINGS; k++)
		if (doctor_is_symptom((enum doctor_finding_kind)k) &&
		    !doctor_has_prior((enum doctor_finding_kind)k))
			fail_msg("no prior for finding %d", k);
}

TEST("an Origin is blamed without doubt on proof only, whatever the status "
     "suggests")
{
	static struct bed b;
	struct patient p = {.url = URL,
			    .origin = "https://evil.example",
			    .answer = UVICORN_403};
	double before;

	bed_examine(&b, &p);
	before = b.opinion.p[WHY_ACCESS_ORIGIN];
	bed_strip(&b);
	p.answers[0] = (struct answer){DOCTOR_NO_ORIGIN, NULL, "@open"};
	bed_examine(&b, &p);
	assert_true(before < 0.8);
	assert_true(b.opinion.p[WHY_ACCESS_ORIGIN] > 0.9);
	bed_strip(&b);
}

/* ---- what holds for all findings, whatever the rows say ---- */

/* The same numbers every time (Knuth's constants). */
static unsigned pick(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static void add_finding(struct doctor_chart *chart, int kind)
{
	chart->finding[chart->n_findings++].kind =
		(enum doctor_finding_kind)kind;
}

static bool has_finding(const struct doctor_chart *chart, int kind)
{
	return doctor_found(chart, (enum doctor_finding_kind)kind) != NULL;
}

/* A symptom, and up to a dozen findings as they may never come together. */
static void random_chart(struct doctor_chart *chart, unsigned *seed)
{
	int kind;

	chart->n_findings = 0;
	do
		kind = (int)pick(seed, DOCTOR_N_FINDINGS);
	while (!doctor_is_symptom((enum doctor_finding_kind)kind));
	add_finding(chart, kind);
	for (unsigned n = pick(seed, 13); n > 0; n--) {
		kind = (int)pick(seed, DOCTOR_N_FINDINGS);
		if (!doctor_is_symptom((enum doctor_finding_kind)kind) &&
		    !has_finding(chart, kind))
			add_finding(chart, kind);
	}
}

/* Groups have limits: within one, a second finding may add nothing. */
static bool shares_group(const struct doctor_chart *chart, int kind)
{
	static const char *const group[] = {
#define FINDING(symbol, group, text) #group,
#include "doctor/findings.def"
#undef FINDING
	};

	for (size_t i = 0; i < chart->n_findings; i++)
		if (strcmp(group[chart->finding[i].kind], group[kind]) == 0)
			return true;
	return false;
}

/* The cause for which a finding speaks loudest, or -1. */
static int spoken_for(int kind)
{
	int best = -1;
	double most = 0;

	for (int c = 0; c < WHY_N_CAUSES; c++) {
		double w = doctor_weight((enum doctor_finding_kind)kind,
					 (enum why_cause)c);

		if (w > most) {
			most = w;
			best = c;
		}
	}
	return best;
}

TEST("whatever was found, probabilities are probabilities, and the best is the "
     "best")
{
	static struct doctor_chart chart;
	struct doctor_opinion o;
	unsigned seed = 1;

	for (int round = 0; round < 2000; round++) {
		double sum = 0;

		random_chart(&chart, &seed);
		doctor_diagnose(&chart, &o);
		for (int c = 0; c < WHY_N_CAUSES; c++) {
			assert_true(o.p[c] > 0 && o.p[c] < 1);
			assert_true(o.p[c] <= o.p[o.best]);
			sum += o.p[c];
		}
		assert_true(sum > 0.999999 && sum < 1.000001);
	}
}

TEST("the order of the findings does not matter")
{
	static struct doctor_chart chart, turned;
	struct doctor_opinion o, t;
	unsigned seed = 2;

	for (int round = 0; round < 500; round++) {
		random_chart(&chart, &seed);
		turned.n_findings = 0;
		for (size_t i = chart.n_findings; i-- > 0;)
			add_finding(&turned, (int)chart.finding[i].kind);
		doctor_diagnose(&chart, &o);
		doctor_diagnose(&turned, &t);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			assert_true(fabs(o.p[c] - t.p[c]) < 1e-9);
	}
}

TEST("a finding never lowers the cause for which it speaks loudest")
{
	static struct doctor_chart chart;
	struct doctor_opinion before, after;
	unsigned seed = 3;

	for (int round = 0; round < 20000; round++) {
		int kind = (int)pick(&seed, DOCTOR_N_FINDINGS);
		int cause = spoken_for(kind);

		random_chart(&chart, &seed);
		if (cause < 0 || shares_group(&chart, kind))
			continue;
		doctor_diagnose(&chart, &before);
		add_finding(&chart, kind);
		doctor_diagnose(&chart, &after);
		if (after.p[cause] < before.p[cause] - 1e-12)
			fail_msg("finding %d: %s falls from %f to %f", kind,
				 why_cause((enum why_cause)cause)->id,
				 before.p[cause], after.p[cause]);
	}
}

TEST("every prior names what it rests on, and every weight why")
{
	for (int k = 0; k < DOCTOR_N_FINDINGS; k++) {
		const char *why = doctor_weighs((enum doctor_finding_kind)k);

		if (doctor_is_symptom((enum doctor_finding_kind)k))
			assert_non_null(why);
		if (why)
			assert_true(strlen(why) > 10);
	}
}
