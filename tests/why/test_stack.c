/* SPDX-License-Identifier: MIT */
/*
 * Recognition on answers as real software gave them, dates and keys left out.
 * The expectation is the list of hops from the client on, and who wrote it.
 */
#include "why/stack.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

struct sample {
	const char *answer; /* head and body, lines ended by \n */
	const char *hops;   /* texts joined by blanks */
	const char *writer; /* id, or "" */
};

#define MAX_FIELDS 24

static struct bytes cut_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find_byte(*rest, '\n');
	struct bytes line =
		bytes_first(*rest, end < 0 ? rest->len : (size_t)end);

	*rest = bytes_from(*rest, line.len + 1);
	return line;
}

/* A reading of our own samples, which are well-formed. */
static void read_answer(struct bytes text, struct why_answer *answer,
			struct ses_field *fields)
{
	struct bytes line = cut_line(&text);

	memset(answer, 0, sizeof(*answer));
	line = bytes_from(line, strlen("HTTP/1.1 "));
	answer->status = atoi((const char *)line.data);
	answer->reason = bytes_from(line, 4);
	answer->fields = fields;
	while ((line = cut_line(&text)).len) {
		ptrdiff_t colon = bytes_find_byte(line, ':');

		assert_true(colon > 0 && answer->n_fields < MAX_FIELDS);
		fields[answer->n_fields].name = bytes_first(line, colon);
		fields[answer->n_fields++].value =
			bytes_trim(bytes_from(line, colon + 1));
	}
	answer->body = text;
}

static void recognise_asked(const char *asked, const char *text,
			    struct why_hops *hops)
{
	struct ses_field fields[MAX_FIELDS];
	struct why_answer answer;
	size_t len = strlen(text);
	uint8_t *copy = test_guarded(text, len);

	read_answer(bytes_of(copy, len), &answer, fields);
	answer.asked = bytes_of_str(asked);
	why_recognise(&answer, hops);
	test_guard_free(copy, len);
}

static void recognise(const char *text, struct why_hops *hops)
{
	recognise_asked("/", text, hops);
}

static void check(const struct sample *s)
{
	char got[512] = "";
	struct why_hops hops;
	const char *writer;

	recognise(s->answer, &hops);
	for (size_t i = 0; i < hops.n; i++) {
		if (i)
			strcat(got, " ");
		strcat(got, hops.hop[i].text);
		assert_true(strlen(hops.hop[i].mark) > 3);
	}
	writer = hops.writer < 0 ? ""
				 : why_stack(hops.hop[hops.writer].stack)->id;
	if (strcmp(got, s->hops) || strcmp(writer, s->writer))
		fprintf(stderr, "--- of\n%s\n", s->answer);
	assert_string_equal(got, s->hops);
	assert_string_equal(writer, s->writer);
}

static void check_all(const struct sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&samples[i]);
}

#define NGINX_PAGE(title)                                         \
	"<html>\n<head><title>" title "</title></head>\n<body>\n" \
	"<center><h1>" title "</h1></center>\n<hr>"               \
	"<center>nginx/1.22.1</center>\n</body>\n</html>\n"
#define NGINX_HEAD(line)                                                     \
	"HTTP/1.1 " line "\nServer: nginx/1.22.1\nContent-Type: text/html\n" \
	"Content-Length: 153\nConnection: keep-alive\n\n"
#define APACHE_DOCTYPE                                         \
	"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" " \
	"\"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n"

static const struct sample own_words[] = {
	{NGINX_HEAD("403 Forbidden") NGINX_PAGE("403 Forbidden"),
	 "nginx/1.22.1", "nginx"},
	{NGINX_HEAD("502 Bad Gateway") NGINX_PAGE("502 Bad Gateway"),
	 "nginx/1.22.1", "nginx"},
	{NGINX_HEAD("301 Moved Permanently") NGINX_PAGE("301 Moved"),
	 "nginx/1.22.1", "nginx"},
	{"HTTP/1.1 403 Forbidden\nServer: Apache/2.4.71 (Debian)\n"
	 "Content-Length: 239\nContent-Type: text/html; "
	 "charset=iso-8859-1\n\n" APACHE_DOCTYPE
	 "<title>403 Forbidden</title>\n</head><body>\n"
	 "<h1>Forbidden</h1>\n<p>You don't have permission to access this "
	 "resource.</p>\n</body></html>\n",
	 "apache/2.4.71", "apache"},
	{"HTTP/1.1 401 Unauthorized\nServer: Apache/2.4.71 (Debian)\n"
	 "WWW-Authenticate: Basic realm=\"Operators\"\n\n" APACHE_DOCTYPE
	 "<title>401 Unauthorized</title>\n</head><body>\n"
	 "<h1>Unauthorized</h1>\n<p>This server could not verify that you\n"
	 "are authorized",
	 "apache/2.4.71", "apache"},
	{"HTTP/1.1 403 Forbidden\ncontent-length: 93\n"
	 "cache-control: no-cache\ncontent-type: text/html\n\n"
	 "<html><body><h1>403 Forbidden</h1>\n"
	 "Request forbidden by administrative rules.\n</body></html>\n",
	 "haproxy", "haproxy"},
	{"HTTP/1.1 503 Service Unavailable\ncontent-length: 107\n"
	 "cache-control: no-cache\ncontent-type: text/html\n\n"
	 "<html><body><h1>503 Service Unavailable</h1>\n"
	 "No server is available to handle this request.\n</body></html>\n",
	 "haproxy", "haproxy"},
	{"HTTP/1.1 400 Bad Request\n"
	 "Content-Type: text/plain; charset=utf-8\nSec-Websocket-Version: 13\n"
	 "X-Content-Type-Options: nosniff\nContent-Length: 12\n\n"
	 "Bad Request\n",
	 "gorilla", "gorilla"},
	{"HTTP/1.1 403 Forbidden\nServer: Python/3.11 websockets/10.4\n"
	 "Content-Length: 0\nContent-Type: text/plain\nConnection: close\n\n",
	 "uvicorn", "uvicorn"},
	{"HTTP/1.1 403 Forbidden\nContent-Length: 0\n"
	 "Content-Type: text/plain\nConnection: close\n\n",
	 "uvicorn", "uvicorn"},
	{"HTTP/1.1 500 Internal Server Error\n"
	 "content-type: text/plain; charset=utf-8\ncontent-length: 21\n"
	 "connection: close\n\nInternal Server Error",
	 "uvicorn", "uvicorn"},
	{"HTTP/1.1 500 Internal Server Error\n"
	 "Server: Python/3.11 websockets/10.4\nContent-Length: 76\n"
	 "Content-Type: text/plain\nConnection: close\n\n"
	 "Failed to open a WebSocket connection.\n"
	 "See server log for more information.\n",
	 "python-websockets/10.4", "python-websockets"},
	{"HTTP/1.1 401 Unauthorized\nConnection: close\n"
	 "Content-Type: text/html\nContent-Length: 12\n\nUnauthorized",
	 "node-ws", "node-ws"},
	{"HTTP/1.1 503 Service Unavailable\nConnection: close\n"
	 "Content-Type: text/html\nContent-Length: 11\nRetry-After: 30\n\n"
	 "Server full",
	 "node-ws", "node-ws"},
	{"HTTP/1.1 400 Bad Request\nConnection: close\n"
	 "Content-type: text/html\nContent-Length: 18\n\nSession ID unknown",
	 "socket.io", "socket.io"},
	{"HTTP/1.1 403 Forbidden\nServer: TornadoServer/6.2\n"
	 "Content-Type: text/html; charset=UTF-8\nContent-Length: 35\n\n"
	 "Cross origin websockets not allowed",
	 "tornado/6.2", "tornado"},
	{"HTTP/1.1 404 Not Found on Accelerator\nServer: ATS/9.2.5\n"
	 "Content-Type: text/html\nContent-Length: 297\n\n<HTML>\n<HEAD>\n"
	 "<TITLE>Not Found on Accelerator</TITLE>\n</HEAD>\n\n"
	 "<BODY BGCOLOR=\"white\" FGCOLOR=\"black\">\n"
	 "<H1>Not Found on Accelerator</H1>\n<HR>\n\n"
	 "<FONT FACE=\"Helvetica,Arial\"><B>\nDescription: Your request on the "
	 "specified host was not found.\n",
	 "traffic-server/9.2.5", "traffic-server"},
	{"HTTP/1.1 503 Service Unavailable\nServer: nghttpx\n\n"
	 "<html><body><footer>nghttpx</footer></body></html>",
	 "nghttpx", "nghttpx"},
	{"HTTP/1.1 404 Not Found\nServer: kong/3.4\n\n"
	 "{\"message\":\"no Route matched with those values\"}",
	 "kong/3.4", "kong"},
	{"HTTP/1.1 404 Not Found\nNgrok-Error-Code: ERR_NGROK_3200\n\n"
	 "The endpoint is offline. ERR_NGROK_3200",
	 "ngrok", "ngrok"},
	{"HTTP/1.1 503 Service Unavailable\n\nno available server\n", "traefik",
	 "traefik"},
	{"HTTP/1.1 403 Forbidden\nContent-Length: 0\n"
	 "Server: WebSocket++/0.8.2\n\n",
	 "websocketpp/0.8.2", "websocketpp"},
	{"HTTP/1.1 403 Forbidden\nServer: kamailio (5.6.3 (x86_64/linux))\n"
	 "Content-Length: 0\n\n",
	 "kamailio/5.6.3", "kamailio"},
	{"HTTP/1.1 404 Not Found\nServer: waitress\n\nno", "waitress",
	 "waitress"},
	{"HTTP/1.1 403 Access denied\n\n", "daphne", "daphne"},
	{"HTTP/1.1 403 Forbidden\n\n", "x-net-websocket", "x-net-websocket"},
	{"HTTP/1.1 403 Forbidden\nserver: envoy\ncontent-length: 0\n\n",
	 "envoy", "envoy"},
	{"HTTP/1.1 403 Forbidden\nserver: istio-envoy\ncontent-length: 19\n"
	 "content-type: text/plain\n\nRBAC: access denied",
	 "istio", "istio"},
	{"HTTP/1.1 403 Forbidden\nServer: cloudflare\nCF-RAY: 8\n"
	 "cf-mitigated: challenge\nContent-Type: text/html\n\n<html>",
	 "cloudflare", "cloudflare"},
	{"HTTP/1.1 404 Not Found\ncontent-type: text/plain; charset=utf-8\n"
	 "x-content-type-options: nosniff\nContent-Length: 19\n\n"
	 "404 page not found\n",
	 "go-net-http", "go-net-http"},
	{"HTTP/1.1 200 OK\nServer: Caddy\nContent-Length: 0\n\n", "caddy",
	 "caddy"},
	{"HTTP/1.1 403 Forbidden\nX-CLI-Error: Unexpected request origin\n"
	 "Server: Jetty(10.0.20)\nContent-Length: 0\n\n",
	 "jenkins", "jenkins"},
	{"HTTP/1.1 407 Proxy Authentication Required\nServer: squid/5.7\n"
	 "X-Squid-Error: ERR_CACHE_ACCESS_DENIED 0\n\n",
	 "squid/5.7", "squid"},
	{"HTTP/1.1 403 Forbidden\nServer: sesame/0.1.0\n"
	 "Content-Type: text/plain\n\n"
	 "Forbidden: You don't have permission to access /chat on this "
	 "server.\n",
	 "sesame/0.1.0", "sesame"},
	{"HTTP/1.1 426 Upgrade Required\nServer: nginx/1.22.1\n"
	 "Content-Type: text/plain\nX-Content-Type-Options: nosniff\n"
	 "Sesame-Reference: 7K2M-Q4XD\nSec-WebSocket-Version: 13\n\n"
	 "Upgrade Required: speak WebSocket here.\n\nReference: 7K2M-Q4XD\n",
	 "nginx/1.22.1 sesame", "sesame"},
	{"HTTP/1.1 403 Forbidden\nX-Powered-By: Express\n"
	 "X-Content-Type-Options: nosniff\nSesame-Reference: 7K2M-Q4XD\n"
	 "Connection: keep-alive\nKeep-Alive: timeout=5\n\n"
	 "<pre>Cannot GET /x</pre>",
	 "sesame express", "express"},
	{"HTTP/1.1 403 \ncontent-length: 0\n\n", "uvicorn", "uvicorn"},
	/* the same of whoever writes by hand, counts last, or has no word */
	{"HTTP/1.1 403 \nContent-Length: 0\n\n", "", ""},
	{"HTTP/1.1 403 Forbidden\nContent-Type: text/plain\n"
	 "Content-Length: 0\nConnection: close\n\n",
	 "", ""},
	{"HTTP/1.1 403 Forbidden\nContent-Type: text/plain; charset=utf-8\n"
	 "Content-Length: 0\nServer: Python/3.11 aiohttp/3.8.4\n\n",
	 "aiohttp/3.8.4", "aiohttp"},
	{"HTTP/1.1 403 \ncontent-length: 0\nconnection: close\n"
	 "server: hypercorn-h11\n\n",
	 "hypercorn", "hypercorn"},
	{"HTTP/1.1 500 Internal server error\n\n", "daphne", "daphne"},
	{"HTTP/1.1 400 Bad Request\nConnection: close\n"
	 "Content-type: text/html\nContent-Length: 13\n\norigin not ok",
	 "socket.io", "socket.io"},
	{"HTTP/1.1 400 Bad Request\nConnection: close\n"
	 "Transfer-Encoding: chunked\n\n1d\nNot a valid websocket request\n0",
	 "sockjs", "sockjs"},
	{"HTTP/1.1 404 Not Found\nX-Powered-By: Express\n"
	 "X-Content-Type-Options: nosniff\nConnection: keep-alive\n"
	 "Keep-Alive: timeout=5\n\n<pre>Cannot GET /x</pre>",
	 "express", "express"},
	{"HTTP/1.1 404 Not Found\nConnection: keep-alive\n"
	 "Keep-Alive: timeout=5\nContent-Length: 1\n\nx",
	 "node", "node"},
	{"HTTP/1.1 400 Bad Request\nServer: Python/3.11 aiohttp/3.8.4\n"
	 "Content-Type: text/plain; charset=utf-8\nConnection: close\n\n"
	 "No WebSocket UPGRADE hdr: None\n"
	 " Can \"Upgrade\" only to \"WebSocket\".",
	 "aiohttp/3.8.4", "aiohttp"},
	{"HTTP/1.0 404 File not found\nServer: SimpleHTTP/0.6 Python/3.11.2\n"
	 "\n<p>Error code explanation: 404 - Nothing matches the given URI.",
	 "python-http.server/0.6", "python-http.server"},
	{"HTTP/1.1 404 Not Found\nServer: lighttpd/1.4.69\n"
	 "Content-Type: text/html\n\n"
	 "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>",
	 "lighttpd/1.4.69", "lighttpd"},
	{"HTTP/1.1 400 Bad Request\nServer: tinyproxy/1.11.1\n\n"
	 "<p><em>Generated by tinyproxy version 1.11.1.</em></p>",
	 "tinyproxy/1.11.1", "tinyproxy"},
	{"HTTP/1.1 404 File Not Found\nServer: h2o/2.2.5\n"
	 "content-type: text/plain; charset=utf-8\n\nnot found",
	 "h2o/2.2.5", "h2o"},
	{"HTTP/1.1 502 Bad Gateway\nServer: Caddy\nContent-Length: 0\n\n",
	 "caddy", "caddy"},
	/* what Caddy says itself it dates and counts at the end */
	{"HTTP/1.1 426 Upgrade Required\n"
	 "Content-Type: text/plain; charset=utf-8\nServer: Caddy\n"
	 "Date: Mon, 23 Nov 2026 12:00:00 GMT\nContent-Length: 2\n\nup",
	 "caddy", "caddy"},
	{"HTTP/1.1 426 Upgrade Required\nContent-Length: 2\n"
	 "Content-Type: text/plain\nDate: Mon, 23 Nov 2026 12:00:00 GMT\n"
	 "Server: Caddy\n\nup",
	 "caddy", ""},
	{"HTTP/1.1 400 Bad Request\nVary: Origin\n"
	 "Vary: Access-Control-Request-Method\n\n"
	 "Can \"Upgrade\" only to \"WebSocket\".",
	 "spring", "spring"},
	{"HTTP/1.1 400 Bad Request\nServer: nginx\n"
	 "Content-Type: text/html; charset=UTF-8\n\n"
	 "Can \"Upgrade\" only to \"WebSocket\".",
	 "nginx tornado", "tornado"},
	{"HTTP/1.1 403 Forbidden\nServer: TornadoServer/6.2\n"
	 "Content-Security-Policy: frame-ancestors 'self'; "
	 "report-uri /api/security/csp-report\n\n{}",
	 "jupyter", "jupyter"},
	{"HTTP/1.1 403 Forbidden\nserver: Cowboy\n"
	 "cache-control: max-age=0, private, must-revalidate\n"
	 "content-length: 0\n\n",
	 "phoenix", "phoenix"},
	{"HTTP/1.1 401 No ticket\nServer: pve-api-daemon/3.0\n\n",
	 "proxmox/3.0", "proxmox"},
};

TEST("each stack is known by its own words")
{
	check_all(own_words, ARRAY_LEN(own_words));
}

TEST("what repeats the path that was asked for is no sign of a stack")
{
	static const char *const paths[] = {"/@vite/client",
					    "/shop/@vite/client?t=1"};
	static const char *const bodies[] = {"Cannot GET %s",
					     "{\"message\":\"no %s here\"}"};
	static const char head[] = "HTTP/1.1 404 Not Found\n\n";
	const size_t n = strlen(head);
	struct why_hops hops;
	char text[300];

	strcpy(text, head);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		for (size_t k = 0; k < ARRAY_LEN(bodies); k++) {
			snprintf(text + n, sizeof(text) - n, bodies[k],
				 paths[i]);
			recognise_asked(paths[i], text, &hops);
			assert_int_equal(hops.n, 0);
			recognise_asked("/", text, &hops);
			assert_int_equal(hops.n, 1);
		}
	}
	strcat(text, "<script src=\"/@vite/client\">");
	recognise_asked(paths[1], text, &hops);
	assert_int_equal(hops.n, 1);
	assert_int_equal(hops.hop[0].stack, WHY_STACK_VITE);
}

static const struct sample relayed[] = {
	/* nginx in front; the words are the application's */
	{"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n"
	 "Content-Type: text/html; charset=UTF-8\nContent-Length: 35\n\n"
	 "Cross origin websockets not allowed",
	 "nginx/1.22.1 tornado", "tornado"},
	{"HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\n"
	 "Content-Type: text/plain; charset=utf-8\nSec-Websocket-Version: 13\n"
	 "X-Content-Type-Options: nosniff\n\nBad Request\n",
	 "nginx/1.22.1 gorilla", "gorilla"},
	{"HTTP/1.1 403 Forbidden\nServer: nginx/1.29.0\n"
	 "Content-Type: text/plain; charset=utf-8\nContent-Length: 0\n"
	 "Connection: keep-alive\n\n",
	 "nginx/1.29.0 uvicorn", "uvicorn"},
	{"HTTP/1.1 404 Not Found\nServer: nginx\nContent-Type: text/plain\n"
	 "Content-Length: 14\n\nPage not found",
	 "nginx actioncable", "actioncable"},
	{"HTTP/1.1 401 Unauthorized\nServer: nginx\nContent-Type: text/html\n"
	 "Content-Length: 12\n\nUnauthorized",
	 "nginx node-ws", "node-ws"},
	/* Apache keeps the Server field of the one behind, or adds its own */
	{"HTTP/1.1 426 Upgrade Required\nServer: Apache/2.4.71 (Debian)\n"
	 "Content-Length: 16\nContent-Type: text/plain\n\nUpgrade Required",
	 "apache/2.4.71 node-ws", "node-ws"},
	/* two proxies: a CDN, and nginx whose page it is */
	{"HTTP/1.1 502 Bad Gateway\nServer: cloudflare\nCF-RAY: 8\n"
	 "Content-Type: text/html\n\n" NGINX_PAGE("502 Bad Gateway"),
	 "cloudflare nginx/1.22.1", "nginx"},
	{"HTTP/1.1 404 Not Found\nX-Cache: MISS from proxy.example\n"
	 "X-Cache-Lookup: MISS from proxy.example:8080\n"
	 "Via: 1.1 proxy.example (squid/5.7)\nConnection: keep-alive\n\n",
	 "squid/5.7", ""},
	{"HTTP/1.1 403 Forbidden\nVia: 1.1 Caddy\nServer: uvicorn\n"
	 "Content-Type: application/json\n\n{\"detail\":\"no\"}",
	 "caddy uvicorn", "uvicorn"},
	{"HTTP/1.1 403 Forbidden\nContent-Length: 0\n"
	 "Content-Type: text/plain\nServer: Caddy\n"
	 "Server: Python/3.11 websockets/10.4\n\n",
	 "caddy uvicorn", "uvicorn"},
	/* a hop alone does not tell who wrote what it passed on */
	{"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n"
	 "Content-Type: application/json\n\n{\"error\":\"no\"}",
	 "nginx/1.22.1", ""},
	{"HTTP/1.1 403 Forbidden\nServer: cloudflare\nCF-RAY: 8\n"
	 "Content-Type: application/json\n\n{\"error\":\"no\"}",
	 "cloudflare", ""},
	{"HTTP/1.1 403 Forbidden\nserver: envoy\ncontent-length: 2\n\nno",
	 "envoy", ""},
	{"HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n"
	 "Connection: Upgrade\nSec-WebSocket-Accept: x\n\n",
	 "", ""},
	{"HTTP/1.1 200 OK\n\n", "", ""},
};

TEST("the words of the application beat the Server field of a hop")
{
	check_all(relayed, ARRAY_LEN(relayed));
}

TEST("a mark tells what betrayed the stack, without control bytes")
{
	struct why_hops hops;

	recognise("HTTP/1.1 200 OK\nServer: nginx/1.2\033[31m\n\n", &hops);
	assert_int_equal(hops.n, 1);
	assert_null(strchr(hops.hop[0].mark, '\033'));
	assert_non_null(strstr(hops.hop[0].mark, "Server: nginx/1.2"));
}

TEST("more marks than hops are cut off, and nothing is written past the end")
{
	struct why_hops hops;

	recognise("HTTP/1.1 403 Forbidden\nServer: nginx\nCF-RAY: 1\n"
		  "X-Varnish: 1\nX-Amz-Cf-Id: 1\nX-Azure-Ref: 1\n"
		  "Via: kong, vegur, google, squid, 1.1 google\n"
		  "X-Envoy-Upstream-Service-Time: 1\n\n"
		  "Cross origin websockets not allowed",
		  &hops);
	assert_int_equal(hops.n, WHY_MAX_HOPS);
	assert_true(hops.writer < (int)hops.n);
}

TEST("every stack has an id of its own, a name and a layer")
{
	for (int i = 1; i < WHY_N_STACKS; i++) {
		const struct why_stack_row *row = why_stack(i);

		assert_true(strlen(row->id) && strlen(row->name));
		assert_non_null(why_layer_name(row->layer));
		for (int k = 1; k < i; k++)
			assert_string_not_equal(row->id, why_stack(k)->id);
	}
	assert_null(why_layer_name(WHY_LAYER_NONE));
	assert_string_equal(why_layer_name(WHY_LAYER_REVERSE_PROXY),
			    "reverse-proxy");
}

#define VARNISH_VIA "X-Varnish: 5\nVia: 1.1 varnish (Varnish/7.1)\n"
#define NODE_403    "HTTP/1.1 403 Forbidden\nX-Powered-By: Express\n"
#define HAPROXY_503                                                   \
	"HTTP/1.0 503 Service Unavailable\ncache-control: no-cache\n" \
	"content-type: text/html\n\n<html><body><h1>503 Service "     \
	"Unavailable</h1>\nNo server is available to handle this "    \
	"request.\n</body></html>\n"

/* Answers that came the same way, and the way they show together. */
static const struct {
	const char *answer[3];
	const char *way;
} ways[] = {
	/* the last entry is the nearest; whatever stacks.def says */
	{{"HTTP/1.1 403 Forbidden\n"
	  "Via: 1.1 varnish (Varnish/7.1), 1.1 Caddy\n\nno"},
	 "caddy varnish/7.1"},
	{{"HTTP/1.1 403 Forbidden\n"
	  "Via: 1.1 Caddy, 1.1 varnish (Varnish/7.1)\n\nno"},
	 "varnish/7.1 caddy"},
	{{"HTTP/1.1 403 Forbidden\nVia: 1.1 Caddy\n"
	  "Via: 1.1 varnish (Varnish/7.1, x)\n\nno"},
	 "varnish/7.1 caddy"},
	/* nginx before Varnish: Connection is nginx's */
	{{NODE_403 "Server: none\n\nno",
	  "HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n"
	  "Connection: keep-alive\nX-Powered-By: Express\n" VARNISH_VIA "\nno"},
	 "nginx/1.22.1 varnish/7.1 express"},
	/* Varnish before nginx: Connection is Varnish's */
	{{"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n"
	  "X-Powered-By: Express\n" VARNISH_VIA "Connection: keep-alive\n"
	  "\nno"},
	 "varnish/7.1 nginx/1.22.1 express"},
	/* what nginx says came through Varnish */
	{{"HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n" VARNISH_VIA
	  "\n" NGINX_PAGE("404 Not Found")},
	 "varnish/7.1 nginx/1.22.1"},
	/* HAProxy answers and Varnish has not seen it */
	{{HAPROXY_503, NODE_403 VARNISH_VIA "\nno"},
	 "haproxy varnish/7.1 express"},
	/* an application stands behind, also where a pipe hides the proxy */
	{{NODE_403 "\nno", NODE_403 VARNISH_VIA "\nno"}, "varnish/7.1 express"},
};

TEST("several answers show in which order the hops stand")
{
	for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
		struct why_hops each[3], all;
		const struct why_hops *seen[3];
		char got[512] = "";
		size_t n = 0;

		while (n < 3 && ways[w].answer[n]) {
			recognise(ways[w].answer[n], &each[n]);
			seen[n] = &each[n];
			n++;
		}
		all = each[0];
		for (size_t i = 1; i < n; i++)
			why_join_hops(&all, &each[i]);
		why_order_hops(&all, seen, n);
		for (size_t i = 0; i < all.n; i++) {
			if (i)
				strcat(got, " ");
			strcat(got, all.hop[i].text);
		}
		assert_string_equal(got, ways[w].way);
	}
}

TEST("the writer stays the writer when the hops change places")
{
	struct why_hops hops;
	const struct why_hops *seen = &hops;

	recognise("HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\n" VARNISH_VIA
		  "\n" NGINX_PAGE("404 Not Found"),
		  &hops);
	assert_int_equal(hops.hop[hops.writer].stack, WHY_STACK_NGINX);
	why_order_hops(&hops, &seen, 1);
	assert_int_equal(hops.writer, 1);
	assert_int_equal(hops.hop[1].stack, WHY_STACK_NGINX);
}

TEST("a stack is found by its id, its name, half of it, and what people say")
{
	static const struct {
		const char *name;
		enum why_stack stack;
	} row[] = {
		{"ws", WHY_STACK_NODE_WS},
		{"WS (Node.js)", WHY_STACK_NODE_WS},
		{"node.js", WHY_STACK_NODE},
		{"channels", WHY_STACK_DAPHNE},
		{"django channels", WHY_STACK_DAPHNE},
		{"starlette", WHY_STACK_FASTAPI},
		{"FastAPI", WHY_STACK_FASTAPI},
		{"socketio", WHY_STACK_SOCKETIO},
		{"engine.io", WHY_STACK_SOCKETIO},
		{"flask-socketio", WHY_STACK_PYTHON_ENGINEIO},
		{"httpd", WHY_STACK_APACHE},
		{"kestrel", WHY_STACK_KESTREL},
		{"nothing", WHY_STACK_NONE},
		{"", WHY_STACK_NONE},
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(why_stack_find(bytes_of_str(row[i].name)),
				 row[i].stack);
	for (int s = 1; s < WHY_N_STACKS; s++)
		assert_int_equal(why_stack_find(bytes_of_str(why_stack(s)->id)),
				 s);
	for (size_t i = 0; why_stack_alias(i); i++)
		assert_int_not_equal(
			why_stack_find(bytes_of_str(why_stack_alias(i))),
			WHY_STACK_NONE);
}
