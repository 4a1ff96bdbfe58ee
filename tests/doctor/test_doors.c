/* SPDX-License-Identifier: MIT */
/*
 * Doors that do not say why: those that shut before a word was said and after,
 * those that go by the name in TLS, and those before which a proxy stands.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/harvest.h"
#include "doctor/request.h"

#define LOCAL  "ws://127.0.0.1:9000/feed"
#define SECURE "wss://127.0.0.1:9000/feed"
#define GET    "HTTP/1.1 404 Not Found\nContent-Length: 9\n\nNot Found"
#define DENIED "HTTP/1.1 403 Forbidden\nContent-Length: 9\n\nForbidden"

struct door {
	struct patient p;
	enum doctor_finding_kind found;
};

static const struct door doors[] = {
	{{.name = "who ends it unheard has no port for something else",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_SILENCE, NULL, "@closed"},
		      {DOCTOR_PORT, "9001", "@open"}},
	  .cause = "net.reset",
	  .at_least = 0.6},
	 DOCTOR_F_SHUT_UNASKED},
	{{.name = "who waits to be asked is hardly full",
	  .url = LOCAL,
	  .answer = "@closed",
	  .cause = "net.reset",
	  .at_most = 0.9},
	 DOCTOR_F_SHUT_WHEN_ASKED},
	{{.name = "a port for load balancers opens after their first line",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PROXY_LINE, "TCP4 127.0.0.1 127.0.0.1 9000 9000",
		       "@open"},
		      {DOCTOR_PORT, "9001", "@open"}},
	  .cause = "net.reset",
	  .at_least = 0.95},
	 DOCTOR_F_PROXY_LINE_OPENS},
	{{.name = "where no address of this machine is known, none is told",
	  .url = "ws://chat.example/feed",
	  .answer = "@closed",
	  .answers = {{DOCTOR_PROXY_LINE, "UNKNOWN", "@open"}},
	  .cause = "net.reset",
	  .at_least = 0.95},
	 DOCTOR_F_PROXY_LINE_OPENS},
	{{.name = "an answer after that line shows who asked for it",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PROXY_LINE, NULL, DENIED}},
	  .cause = "net.reset",
	  .at_least = 0.9},
	 DOCTOR_F_PROXY_LINE_ANSWERS},
	{{.name = "who calls that line a bad request asked for none",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PROXY_LINE, NULL,
		       "HTTP/1.1 400 Bad Request\nContent-Length: 0\n"}},
	  .cause = "net.reset",
	  .at_most = 0.9},
	 DOCTOR_F_SHUT_WHEN_ASKED},
	{{.name = "who ends lines alone reads another protocol than HTTP",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_H2, NULL, "@silent"}},
	  .cause = "url.port",
	  .at_least = 0.6},
	 DOCTOR_F_WAITS_FOR_MORE},
	{{.name = "whoever ends all handshakes may take no long list of "
		  "protocols",
	  .url = "ws://127.0.0.1:9000/",
	  .answer = "@closed",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, GET},
		      {DOCTOR_PLAIN_GET_PATH, NULL, GET},
		      {DOCTOR_SUBPROTOCOL,
		       "tty, mqttv3.1, stomp, guacamole, v4.channel.k8s.io, "
		       "v1, soap, base64, esm-hmr, ng.rtpengine.com, amqp, "
		       "msrp, jsonrpc",
		       "@open ng.rtpengine.com"}},
	  .cause = "server.subprotocol",
	  .at_least = 0.9},
	 DOCTOR_F_SUBPROTOCOL_OPENS},
	{{.name = "who has a page here, and drops handshakes anywhere, knows "
		  "the path",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 200 OK\nContent-Length: 2\n\n[]"},
		      {DOCTOR_PLAIN_GET_PATH, NULL, GET}},
	  .cause = "server.no-websocket",
	  .at_most = 0.55},
	 DOCTOR_F_UPGRADE_UNCLAIMED_PAGE},
	{{.name = "who cannot do a plain GET is up, and no gateway",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 502 Bad Gateway\nServer: Caddy\n"
		    "Content-Length: 0\n",
	  .answers = {{DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 501 Not Implemented\n"
		       "Content-Type: application/json\n"
		       "Content-Length: 25\n\n{\"error\":\"NoSuchMethod\"}"}},
	  .cause = "server.backend-down",
	  .at_most = 0.9},
	 DOCTOR_F_GET_REACHES},
	{{.name = "a library that a relay pipes upgrades to has seen this one",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 400 Bad Request\nConnection: close\n"
		    "Content-Type: text/html\nContent-Length: 11\n\n"
		    "Bad Request",
	  .answers = {{DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 426 Upgrade Required\n"
		       "Date: Mon, 23 Nov 2026 12:00:00 GMT\n"
		       "Via: 1.1 varnish\nX-Varnish: 3\n"
		       "Content-Length: 16\n\nUpgrade Required"}},
	  .cause = "url.path"},
	 DOCTOR_F_PATHS_NONE_OPEN},
	{{.name = "Node on a connection of its own has nobody before it",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 200 OK\nConnection: keep-alive\n"
		    "Keep-Alive: timeout=5\nContent-Length: 2\n\nok",
	  .cause = "server.no-websocket",
	  .at_least = 0.9},
	 DOCTOR_F_NODE_ITSELF},
	{{.name = "a library that refuses itself has the handshakes",
	  .url = LOCAL,
	  .answer = "@silent",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, GET},
		      {DOCTOR_PLAIN_GET_PATH, NULL, GET},
		      {DOCTOR_UNFIT, NULL,
		       "HTTP/1.1 400 Bad Request\nConnection: close\n"
		       "Content-Type: text/html\nContent-Length: 11\n\n"
		       "Bad Request"}},
	  .cause = "net.timeout",
	  .at_most = 0.9},
	 DOCTOR_F_UNFIT_REFUSED_BARE},
	{{.name = "a gateway's 504 is about time, if handshakes arrive",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 504 Gateway Time-out\nServer: nginx/1.22.1\n"
		    "Content-Type: text/html\n\n"
		    "<center><h1>504 Gateway Time-out</h1></center>\n"
		    "<hr><center>nginx/1.22.1</center>",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, GET},
		      {DOCTOR_PLAIN_GET_PATH, NULL, GET},
		      {DOCTOR_UNFIT, NULL,
		       "HTTP/1.1 400 Bad Request\nContent-Length: 11\n\n"
		       "Bad Request"}},
	  .cause = "server.backend-down",
	  .at_least = 0.7},
	 DOCTOR_F_UNFIT_IN_TIME},
	{{.name = "the same path with a query more is no other path",
	  .url = "ws://127.0.0.1:9000/ws",
	  .answer = "HTTP/1.1 400 Bad Request\nContent-Length: 3\n\nno.",
	  .answers = {{DOCTOR_PLAIN_GET_PATH, NULL,
		       "HTTP/1.1 200 OK\nContent-Type: text/html\n"
		       "Content-Length: 52\n\n"
		       "<script>new WebSocket('/ws?board=1')</script>......."},
		      {DOCTOR_PATH, "/ws?board=1", "@open"}},
	  .cause = "url.query",
	  .at_least = 0.9},
	 DOCTOR_F_PARAMETER_OPENS},
	{{.name = "another door is no proof of a path that the server knows",
	  .url = "ws://127.0.0.1:9000/feed",
	  .answer = "HTTP/1.1 400 Bad Request\nContent-Length: 0\n",
	  .answers = {{DOCTOR_PATH, "/ws", "@open"},
		      {DOCTOR_PATH, NULL, GET},
		      {DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
		      {DOCTOR_PLAIN_GET_PATH, NULL,
		       "HTTP/1.1 200 OK\nContent-Type: text/html\n\n"
		       "<script>new WebSocket('/ws')</script>"}},
	  .cause = "url.path",
	  .at_most = 0.93},
	 DOCTOR_F_ANOTHER_PATH_OPENS},
	{{.name = "ws is asked beside its path where the root is another's",
	  .url = "ws://127.0.0.1:9000/app/till",
	  .answer = "HTTP/1.1 400 Bad Request\nConnection: close\n"
		    "Content-Type: text/html\nContent-Length: 11\n\n"
		    "Bad Request",
	  .answers = {{DOCTOR_PATH, "/sesame-no-such-path",
		       "HTTP/1.1 200 OK\nServer: Caddy\nContent-Length: 0\n"},
		      {DOCTOR_PLAIN_GET, NULL, GET}},
	  .cause = "url.path",
	  .at_least = 0.6},
	 DOCTOR_F_WS_SHUTS_PATHS},
	{{.name = "engine.io asks of polling what it drops handshakes for",
	  .url = "ws://127.0.0.1:9000/socket.io/?EIO=4&transport=websocket",
	  .answer = "@closed",
	  .answers = {{DOCTOR_POLLING, NULL,
		       "HTTP/1.1 401 Unauthorized\nContent-Length: 2\n\nno"}},
	  .cause = "access.credentials",
	  .at_least = 0.9},
	 DOCTOR_F_ENGINE_UNAUTHORIZED},
	{{.name = "a middleware of engine.io stops what is of the right form",
	  .url = "ws://127.0.0.1:9000/socket.io/?EIO=4&transport=websocket",
	  .answer = "HTTP/1.1 400 Bad Request\nConnection: close\n"
		    "Content-Type: text/html\nContent-Length: 11\n\n"
		    "Bad request",
	  .answers = {{DOCTOR_POLLING, NULL,
		       "HTTP/1.1 400 Bad Request\n\n"
		       "{\"code\":3,\"message\":\"Bad request\"}"},
		      {DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 400 Bad Request\n\n"
		       "{\"code\":3,\"message\":\"Bad request\"}"}},
	  .cause = "access.credentials",
	  .at_least = 0.5,
	  .at_most = 0.9},
	 DOCTOR_F_ENGINE_STOPS},
	{{.name = "a page that links below a folder is asked for there",
	  .url = "ws://127.0.0.1:9000/terminals/websocket/1",
	  .answer = "HTTP/1.1 404 Not Found\nContent-Type: text/html\n\n"
		    "<html><link href=\"/lab/static/style.css\"><h1>404</h1>",
	  .answers = {{DOCTOR_PATH, "/lab/terminals/websocket/1",
		       "HTTP/1.1 403 Forbidden\n\nForbidden"}},
	  .cause = "url.path",
	  .at_least = 0.7},
	 DOCTOR_F_PATH_MOUNTED},
	{{.name = "a page whose own scripts are lost does not know where it is",
	  .url = "ws://127.0.0.1:9000/lab/ws",
	  .answer = "HTTP/1.1 404 Not Found\nContent-Type: text/html\n\n"
		    "<html><script src=\"/lab/static/a.js\"></script>404",
	  .answers = {{DOCTOR_PLAIN_GET_PATH, NULL,
		       "HTTP/1.1 404 Not Found\n\n404"},
		      {DOCTOR_PATH, "/sesame-no-such-path",
		       "HTTP/1.1 404 Not Found\n\nnginx"}},
	  .cause = "url.path",
	  .at_least = 0.6},
	 DOCTOR_F_LINKS_LOST},
	{{.name = "who came by TLS and is asked for it was passed on without",
	  .url = "wss://127.0.0.1:9000/live",
	  .answer = "HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n"
		    "HTTPS required",
	  .answers = {{DOCTOR_SCHEME, NULL,
		       "HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\n\n"
		       "The plain HTTP request was sent to HTTPS port"}},
	  .cause = "server.proxy-proto",
	  .at_least = 0.8},
	 DOCTOR_F_SAYS_TLS_LOST},
	{{.name = "Werkzeug says it to plain requests where a WebSocket is",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 400 BAD REQUEST\nServer: nginx/1.22.1\n\n"
		    "<h1>Bad Request</h1><p>The browser (or proxy) sent a "
		    "request that this server could not understand.</p>",
	  .answers = {{DOCTOR_PATH, NULL, "HTTP/1.1 404 NOT FOUND\n\n404"},
		      {DOCTOR_PLAIN_GET_PATH, NULL, GET}},
	  .cause = "server.proxy-upgrade",
	  .at_least = 0.8},
	 DOCTOR_F_WERKZEUG_NO_UPGRADE},
	{{.name = "aiohttp says 404 to a path alone",
	  .url = "ws://127.0.0.1:9000/app/live",
	  .answer = "HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n"
		    "Content-Type: text/plain\n\n404: Not Found",
	  .answers = {{DOCTOR_PLAIN_GET_PATH, NULL, GET}},
	  .cause = "url.path",
	  .at_least = 0.4},
	 DOCTOR_F_ROUTER_WOULD_400},
	{{.name = "where not even the root is found, the name may be it",
	  .url = LOCAL,
	  .answer = GET,
	  .cause = "url.path",
	  .at_most = 0.9},
	 DOCTOR_F_ROOT_LOST},
	{{.name = "beside the page a server answers that takes no Upgrade",
	  .url = "ws://127.0.0.1:9000/",
	  .answer = "HTTP/1.1 200 OK\nServer: nginx/1.22.1\n"
		    "Content-Type: text/html\nContent-Length: 9\n\n<h1>a</h1>",
	  .answers = {{DOCTOR_PATH, NULL,
		       "HTTP/1.1 404 File not found\n"
		       "Server: SimpleHTTP/0.6 Python/3.11.2\n"
		       "Content-Length: 9\n\nnot found"}},
	  .cause = "server.no-websocket",
	  .at_most = 0.9},
	 DOCTOR_F_FILES_BEHIND},
	{{.name = "who drops packets of one family listens on both",
	  .url = LOCAL,
	  .answer = "@lost",
	  .answers = {{DOCTOR_FAMILY, "6", "@open"}},
	  .cause = "net.timeout",
	  .at_most = 0.9},
	 DOCTOR_F_FAMILY_OPENS_LOST},
	{{.name = "a 502 that ws writes to the bare socket is no gateway's",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 502 Bad Gateway\nConnection: close\n"
		    "Content-Type: text/html\nContent-Length: 11\n\n"
		    "Bad Gateway",
	  .answers = {{DOCTOR_PLAIN_GET, NULL,
		       "HTTP/1.1 426 Upgrade Required\nContent-Length: 16\n"
		       "Content-Type: text/plain\n\nUpgrade Required"}},
	  .cause = "server.app-rejected",
	  .at_least = 0.6},
	 DOCTOR_F_ERROR_OF_LIBRARY},
	{{.name = "who goes by the name in TLS knows no addresses",
	  .url = SECURE,
	  .answer = "@tls cut",
	  .answers = {{DOCTOR_NAME, "localhost", "@open"}},
	  .cause = "url.host",
	  .at_least = 0.9},
	 DOCTOR_F_NAME_OPENS},
	{{.name = "a handshake failure may mean the name as well",
	  .url = SECURE,
	  .answer = "@tls version:handshake failure",
	  .answers = {{DOCTOR_NAME, "localhost", "@open"}},
	  .cause = "url.host",
	  .at_least = 0.9},
	 DOCTOR_F_NAME_OPENS},
	{{.name = "a proxy that opens TLS shows a certificate of its own",
	  .url = "wss://chat.example/feed",
	  .proxy = "http://proxy.example:3128",
	  .answer = "@tls untrusted",
	  .answers = {{DOCTOR_DIRECT, NULL, "@open"}},
	  .cause = "tls.untrusted",
	  .at_least = 0.9},
	 DOCTOR_F_DIRECT_TRUSTED},
	{{.name = "a proxy that ends a silence passed the Upgrade on",
	  .url = "ws://chat.example/feed",
	  .proxy = "http://proxy.example:3128",
	  .answer = "@cut 2000",
	  .answers = {{DOCTOR_DIRECT, NULL, "@open"}},
	  .cause = "net.idle-timeout",
	  .at_least = 0.9},
	 DOCTOR_F_DIRECT_OUTLIVES},
	{{.name = "a cookie may hold what a firewall looks for",
	  .url = LOCAL,
	  .header = "Cookie: note=1' OR '1'='1' -- x",
	  .answer = "HTTP/1.1 403 Forbidden\nContent-Length: 9\n\nForbidden",
	  .answers = {{DOCTOR_NO_CREDENTIALS, NULL, "@open"},
		      {DOCTOR_NO_HEADER, "Cookie", "@open"},
		      {DOCTOR_MINIMAL, NULL, "@open"}},
	  .cause = "access.waf",
	  .at_least = 0.9},
	 DOCTOR_F_HEADER_ATTACK_OPENS},
	{{.name = "without the long query it opens, and 414 says why",
	  .url = LOCAL "?filter=x",
	  .large = true,
	  .answer = "HTTP/1.1 414 URI Too Long\nContent-Length: 8\n\ntoo long",
	  .answers = {{DOCTOR_NO_QUERY, NULL, "@open"}},
	  .cause = "client.headers-too-large",
	  .at_least = 0.9},
	 DOCTOR_F_STATUS_431},
	{{.name = "what stands behind may not survive being let through to",
	  .url = LOCAL,
	  .origin = "https://elsewhere.example",
	  .answer = GET,
	  .answers = {{DOCTOR_NO_ORIGIN, NULL,
		       "HTTP/1.1 502 Bad Gateway\n\nbad || @open"}},
	  .cause = "access.origin",
	  .at_least = 0.9},
	 DOCTOR_F_ORIGIN_ABSENT_OPENS},
	{{.name = "Not Found without a head is another site's word as well",
	  .url = LOCAL,
	  .answer = "@raw Not Found",
	  .answers = {{DOCTOR_HOST, "localhost:9000", "@open"},
		      {DOCTOR_PLAIN_GET, NULL, GET}},
	  .cause = "url.host",
	  .at_least = 0.8},
	 DOCTOR_F_HOST_OPENS_LOST},
	{{.name = "a proxy may call a handshake's scheme wss",
	  .url = SECURE,
	  .origin = "https://127.0.0.1:9000",
	  .answer = DENIED,
	  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		      {DOCTOR_ORIGIN, "wss://127.0.0.1:9000", "@open"},
		      {DOCTOR_PATH, NULL, GET}},
	  .cause = "server.proxy-proto",
	  .at_least = 0.85},
	 DOCTOR_F_ORIGIN_SCHEME_OPENS},
	{{.name = "a proxy's own list has the origin without its port",
	  .url = LOCAL,
	  .origin = "http://127.0.0.1:9000",
	  .answer = "HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n"
		    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n"
		    "<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n"
		    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n"
		    "</html>\r\n",
	  .answers = {{DOCTOR_ORIGIN, "http://127.0.0.1", "@open"}},
	  .cause = "access.origin",
	  .at_least = 0.85},
	 DOCTOR_F_ORIGIN_PORTLESS_LISTED},
	{{.name = "the same name in Host and Origin passes where the port is "
		  "lost",
	  .url = LOCAL,
	  .origin = "http://127.0.0.1:9000",
	  .answer = DENIED,
	  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		      {DOCTOR_ORIGIN, "http://127.0.0.1", "@open"},
		      {DOCTOR_NAMED_SO, "sesame.invalid:9000", "@open"}},
	  .cause = "server.proxy-host",
	  .at_least = 0.95},
	 DOCTOR_F_ORIGIN_FOLLOWS_HOST},
	{{.name = "a list that forgot the port knows no such name",
	  .url = LOCAL,
	  .origin = "http://127.0.0.1:9000",
	  .answer = DENIED,
	  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		      {DOCTOR_ORIGIN, "http://127.0.0.1", "@open"}},
	  .cause = "access.origin",
	  .at_least = 0.9},
	 DOCTOR_F_ORIGIN_LISTED},
	{{.name = "who begins a session for the client knows who it is",
	  .url = "ws://lab.example/feed",
	  .header = "Cookie: token=open",
	  .answer = "HTTP/1.1 403 Forbidden\nSet-Cookie: user=a; Path=/\n"
		    "Content-Length: 6\n\nDenied",
	  .answers = {{DOCTOR_NO_CREDENTIALS, NULL, DENIED}},
	  .cause = "access.permission",
	  .at_least = 0.25},
	 DOCTOR_F_CREDENTIALS_KNOWN},
	{{.name = "who serves the next port is a hint, and no more",
	  .url = LOCAL,
	  .answer = "@refused",
	  .answers = {{DOCTOR_PORT, "9001", "@open"}},
	  .cause = "net.refused",
	  .at_least = 0.6},
	 DOCTOR_F_PORT_OF_NEIGHBOUR_OPENS},
	{{.name = "HTTP that ends every proper request has no such site",
	  .url = LOCAL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_SCHEME, "wss",
		       "@tls not-tls, sent \"HTTP/1.1 400 Bad Request\""}},
	  .cause = "url.host",
	  .at_least = 0.35},
	 DOCTOR_F_SHUT_IN_HTTP},
	{{.name = "a proof that wanders is for a key that was made up",
	  .url = LOCAL,
	  .answer = "@bad101 AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	  .answers = {{DOCTOR_KEY, NULL, "@bad101 BBBBBBBBBBBBBBBBBBBBBBBBBBA="}},
	  .cause = "server.proxy-upgrade",
	  .at_least = 0.8},
	 DOCTOR_F_ACCEPT_OF_OTHER_KEY},
	{{.name = "a proof that is always wrong alike is badly computed",
	  .url = LOCAL,
	  .answer = "@bad101 AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	  .cause = "server.bad-accept",
	  .at_least = 0.9},
	 DOCTOR_F_ACCEPT_OF_KEY},
	{{.name = "a proof of no key at all may be the proxy's doing or the "
		  "server's",
	  .url = LOCAL,
	  .answer = "@bad101 Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=",
	  .cause = "server.bad-accept",
	  .at_least = 0.35},
	 DOCTOR_F_ACCEPT_OF_NO_KEY},
	{{.name = "half of an Upgrade is lost as well as all of it",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 400 HTTP Connection headers do not include "
		    "\"upgrade\" value: \"close\"\n\n",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, "HTTP/1.1 200 OK\n\npage"}},
	  .cause = "server.proxy-upgrade",
	  .at_least = 0.5},
	 DOCTOR_F_SAYS_NO_UPGRADE},
	{{.name = "a field of the handshake that was set by hand is a suspect",
	  .url = LOCAL,
	  .header = "Connection: keep-alive, Upgrade",
	  .answer = GET,
	  .answers = {{DOCTOR_STANDARD, NULL, "@open"},
		      {DOCTOR_MINIMAL, NULL, "@open"}},
	  .cause = "client.bad-handshake",
	  .at_least = 0.8},
	 DOCTOR_F_STANDARD_OPENS},
	{{.name = "who lists files hands nothing on",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 200 OK\nServer: nginx/1.22.1\nContent-Type: "
		    "text/html\n\n<html><head><title>Index of /feed/</title>"
		    "</head></html>",
	  .answers = {{DOCTOR_PATH, DOCTOR_NONSENSE_PATH, GET}},
	  .cause = "server.no-websocket"},
	 DOCTOR_F_LISTING},
	{{.name = "who was asked over HTTP/2 was asked by a proxy",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 404 Not Found\nServer: hypercorn-h2\n"
		    "Content-Length: 9\n\nNot Found",
	  .cause = "server.http2"},
	 DOCTOR_F_ASKED_BY_HTTP2},
	{{.name = "what a front server knows alone is that nobody answers it",
	  .url = LOCAL,
	  .answer = "HTTP/1.1 503 Service Unavailable\nServer: "
		    "lighttpd/1.4.69\nContent-Type: text/html\n\n<?xml "
		    "version=\"1.0\" encoding=\"iso-8859-1\"?>",
	  .cause = "server.backend-down",
	  .at_least = 0.5},
	 DOCTOR_F_STATUS_503},
};

TEST("a door that says nothing tells by when and for whom it shuts")
{
	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		const struct patient *p = &doors[i].p;
		static struct bed b;

		bed_examine(&b, p);
		if (strcmp(why_cause(b.verdict.cause)->id, p->cause) != 0 ||
		    !doctor_found(&b.chart, doors[i].found) ||
		    b.verdict.confidence < p->at_least ||
		    (p->at_most > 0 && b.verdict.confidence > p->at_most))
			fail_msg("%s: %s %.3f", p->name,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("where somebody answered in HTTP the connection is not asked unsaid")
{
	static struct bed b;
	const struct patient p = {.url = LOCAL, .answer = GET};

	bed_examine(&b, &p);
	assert_null(doctor_tried(&b.chart, DOCTOR_SILENCE, NULL));
	bed_strip(&b);
}

TEST("a connection on which nothing is said carries nothing of the user's")
{
	static struct bed b;
	const struct patient p = {.url = SECURE,
				  .header = "Authorization: Bearer a.b.c",
				  .answer = "@tls cut"};
	struct doctor_trial trial = {.change = DOCTOR_SILENCE};
	struct doctor_request r;

	bed_make(&b, &p);
	assert_int_equal(doctor_request_make(&b.c, &trial, &r), 0);
	assert_true(r.bare);
	assert_false(r.url.tls);
	doctor_request_fini(&r);
	bed_strip(&b);
}

TEST("a port that speaks both and drops requests is not one of HTTP/2 alone")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/chat",
		.answer = "@closed",
		.answers = {
			{DOCTOR_SCHEME, "wss",
			 "@tls not-tls, sent \"HTTP/1.1 400 Bad request\""},
			{DOCTOR_H2, NULL, "@h2 closed"},
			{DOCTOR_SOURCE, "127.0.0.2", "@open"},
		}};

	bed_examine(&b, &p);
	assert_string_equal(why_cause(b.verdict.cause)->id, "access.ip");
	bed_strip(&b);
}
