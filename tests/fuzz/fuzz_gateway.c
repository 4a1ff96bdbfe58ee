/* SPDX-License-Identifier: MIT */
/*
 * One worker of the gateway on a fake kernel, with what it shares with others,
 * and with checks of its servers: the input is a script of what clients, the
 * servers behind and the system do. Whatever that is:
 *
 * - clients get what far.h demands, and the echo comes back as it was sent;
 * - a server behind is asked by HTTP that the strict parser reads, with the
 *   client's key, and a tunnel carries the bytes of both sides unchanged: where
 *   its messages are judged a close frame may end them, and nothing else;
 * - lines of the log are lines;
 * - when all are silent for long enough nobody is there any more, and no count
 *   of the policy has forgotten anybody.
 */
#include <errno.h>

#include "far.h"
#include "gate/config.h"
#include "gate/gate.h"
#include "gate/health.h"
#include "gate/metrics.h"
#include "gate/pool.h"
#include "gate/recent.h"
#include "gate/told.h"
#include "gate/visit_member.h"
#include "hub/backplane.h"
#include "wire/proxy_header.h"
#include "ws/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRST_CLIENT 2000 /* the port of the first client */
#define LIMITER_KEYS 1024

static const char first_text[] =
	"listen: [{address: \"127.0.0.1:80\"}, "
	"{address: \"127.0.0.1:81\", proxy_protocol: true}]\n"
	"trusted_proxies: [10.0.0.0/16]\n"
	"routes:\n"
	"- {path: /echo, to: echo, limits: {message: 1000B, "
	"messages: 20/second, idle: 1m, connections: 4, "
	"handshakes: 30/minute}}\n"
	"- {path: /room/**, to: hub, hub: {members: 3, channels: 2, "
	"queue: 8KiB, slow: close, echo: true}, limits: {message: 2KiB}}\n"
	"- {path: /talk, to: hub, hub: {queue: 128KiB, presence: true, "
	"history: {messages: 20}, rates: {channel: 90/minute}}, "
	"limits: {message: 70000B, route_connections: 5}}\n"
	"- {path: /ws/**, to: [\"ws://127.0.0.1:90\", "
	"\"ws://127.0.0.1:91/pre\"], retries: 1, "
	"health: {path: /healthz, every: 2s, fails: 2}}\n"
	"- {path: /cut, to: \"ws://127.0.0.1:92\", proxy_protocol: v1, "
	"limits: {message: 200B, messages: 5/second, idle: 30s}}\n"
	"- {path: /asked, to: echo, allow: {authority: "
	"{url: \"http://127.0.0.1:93/auth\", copy: [X-User]}}}\n"
	"- {path: /seen, to: echo, mode: observe, "
	"allow: {origins: [\"https://a.example\"]}}\n"
	"- {path: /only, to: \"ws://127.0.0.1:94\", answer: 1s, connect: 1s, "
	"balance: client, host: upstream, headers: {X-More: yes}, "
	"allow: {origins: [\"https://a.example\", none], "
	"hosts: [a.example], user_agents: [\"*\", \"!*bot*\"], "
	"subprotocols: [chat, none]}}\n"
	"refusal: {disclose: full}\n";

/* What a reload leads to: a door and routes are gone, one leads elsewhere. */
static const char second_text[] =
	"listen: [{address: \"127.0.0.1:80\"}]\n"
	"routes:\n"
	"- {path: /echo, to: echo, limits: {message: 5KiB}}\n"
	"- {path: /room/**, to: hub, hub: {members: 2, presence: true, "
	"history: {messages: 3}, may: {publish: nobody}}}\n"
	"- {path: /ws/**, to: [\"ws://127.0.0.1:91/pre\", "
	"\"ws://127.0.0.1:95\"], balance: least_connections}\n"
	"- {path: /cut, to: \"ws://127.0.0.1:92\", proxy_protocol: v2, "
	"limits: {message: 100B}}\n"
	"- {path: /only, to: echo}\n"
	"refusal: {disclose: reason, close: true}\n"
	"stop: {spread: 2s}\n";

static struct {
	struct gate_policy *policy[2];
	struct sesame_loop *loop;
	struct gate *gate;
	struct gate_doors *doors;
	struct gate_health *health;
	struct gate_metrics *metrics;
	struct gate_limiter *limiter;
	struct gate_recent *recent;
	struct gate_told *told;
	struct hub *hub;
	unsigned which; /* of the policies is in force */
	bool reloaded, leaving;
	/* the far end of each wire: a client's, or a server's behind */
	struct far far[KERNEL_WIRES];
	unsigned n_far;
} town;

/* ---- What the gateway writes on standard error ---- */

bool __wrap_gate_log(const char *format, ...);

bool __wrap_gate_log(const char *format, ...)
{
	char line[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (const char *c = line; *c; c++)
		demand((uint8_t)*c >= ' ' && *c != 0x7f,
		       "a line of the log is a line");
	return true;
}

/* ---- Servers behind ---- */

static bool is_back(const struct far *f)
{
	return f->wire->called;
}

static struct far *client_of(const struct ses_head *request)
{
	struct bytes key = ses_head_get(request, "Sec-WebSocket-Key");

	for (unsigned i = 0; i < town.n_far; i++)
		if (!is_back(&town.far[i]) &&
		    bytes_equal_str(key, town.far[i].key))
			return &town.far[i];
	return NULL;
}

/* Past the PROXY header that some servers are sent. 0: more is needed. */
static size_t skip_proxy_header(struct far *f, struct bytes in)
{
	struct ses_proxy_header h;
	const char *wrong;
	int r;

	if (f->wire->port != 92)
		return 0;
	r = ses_proxy_header_read(in, &h, &wrong);
	demand(r >= 0, "the PROXY header can be read");
	return (size_t)r;
}

/*
 * The bytes of a tunnel: those of the other side, from f->at on. Where they are
 * judged a close frame of the gateway's own may stand at the end; how much of
 * it looks like what was to come is not known.
 */
static void check_tunnel(struct far *f)
{
	struct bytes got = ses_buf_bytes(&f->got);
	struct bytes said =
		f->pair ? bytes_from(ses_buf_bytes(&f->pair->said), f->at)
			: bytes_of(NULL, 0);
	size_t n = f->same, most = got.len < said.len ? got.len : said.len;

	while (n < most && got.data[n] == said.data[n])
		n++;
	f->same = n;
	if (n == got.len || f->unchecked)
		return;
	demand(f->judged, "a tunnel carries what was said");
	for (size_t back = 0; back <= n && back < 200; back++) {
		struct bytes rest = bytes_from(got, n - back);
		size_t head = is_back(f) ? 6 : 2;

		if (rest.len < 2 || (rest.data[0] == 0x88 &&
				     rest.len <= head + (rest.data[1] & 0x7f)))
			return;
	}
	demand(false, "a judged tunnel ends with a close frame");
}

/* A head that is not of our making may have anybody's key in it. */
static bool anybody_is_raw(void)
{
	for (unsigned i = 0; i < town.n_far; i++)
		if (town.far[i].raw_head)
			return true;
	return false;
}

static void take_request(struct far *f, struct bytes in)
{
	static struct ses_head head;
	struct ses_head_limits limits = {.total_bytes = SES_INTAKE_BYTES * 2,
					 .line_bytes = SES_INTAKE_BYTES};
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct bytes all;
	size_t skipped;
	int r;

	ses_buf_append(&f->got, in);
	all = ses_buf_bytes(&f->got);
	skipped = skip_proxy_header(f, all);
	if (f->wire->port == 92 && !skipped)
		return;
	ses_head_init(&parser, true, &limits);
	r = ses_head_parse(&parser, bytes_from(all, skipped), &head, &fault);
	demand(r >= 0, "a server behind is asked by HTTP");
	if (r == 0)
		return;
	demand(ses_field_count(head.fields, head.n_fields, "Host") == 1,
	       "for one host");
	f->state = FAR_TUNNEL;
	f->unchecked = anybody_is_raw();
	f->judged = f->wire->port == 92;
	f->pair = client_of(&head);
	if (f->pair)
		memcpy(f->key, f->pair->key, sizeof(f->key));
	/* what follows is what the client says behind its own request */
	ses_buf_consume(&f->got, skipped + (size_t)r);
	if (f->pair)
		f->at = far_head_length(f->pair);
	check_tunnel(f);
}

/* ---- Clients ---- */

/* A 101 has come: from the gateway, or from a server behind it? */
static void on_far_open(struct far *f, const struct ses_head *request,
			const struct ses_head *answer)
{
	bool own =
		bytes_starts(ses_head_get(answer, "Server"), BYTES("sesame"));

	f->unsure |= !bytes_starts(request->target, BYTES("/echo"));
	if (own)
		return;
	f->state = FAR_TUNNEL;
	f->unchecked = anybody_is_raw();
	for (unsigned i = 0; i < town.n_far; i++)
		if (is_back(&town.far[i]) && town.far[i].pair == f &&
		    town.far[i].accepted)
			f->pair = &town.far[i];
	demand(f->pair || f->unchecked, "a tunnel has another end");
	if (!f->pair)
		return;
	f->judged = f->pair->judged;
	f->at = f->pair->accepted;
}

static void read_far(struct far *f)
{
	struct ses_buf *out = &f->wire->out;
	struct bytes in = ses_buf_bytes(out);

	if (!f->reads || !in.len)
		return;
	if (is_back(f) && f->state == FAR_HEAD)
		take_request(f, in);
	else
		far_take(f, in);
	ses_buf_consume(out, ses_buf_len(out));
}

/* ---- Looking at it ---- */

/* Wires that the gateway has begun by itself. */
static struct far *meet(struct wire *w)
{
	struct far *f = &town.far[town.n_far];

	far_begin(f, w);
	far_choose_key(f, town.n_far++);
	f->deflate = f->lenient = f->lossy = true;
	f->on_open = on_far_open;
	f->on_tunnel = check_tunnel;
	return f;
}

static void meet_backs(void)
{
	while (town.n_far < kernel_n_wires())
		meet(kernel_wire(town.n_far));
}

static void look(void)
{
	meet_backs();
	for (unsigned i = 0; i < town.n_far; i++)
		read_far(&town.far[i]);
}

static void turn(void)
{
	for (unsigned i = 0; i < town.n_far; i++)
		far_push(&town.far[i]);
	demand(sesame_loop_turn(town.loop, 0) == 0, "the loop can turn");
	look();
}

/* ---- Moves ---- */

static struct far *pick(unsigned byte)
{
	return town.n_far ? &town.far[byte % town.n_far] : NULL;
}

static void arrive(struct script *s)
{
	static const char *const froms[] = {"10.0.0.1", "10.0.0.2", "192.0.2.1",
					    "2001:db8::1"};
	unsigned how = next_byte(s);
	struct bytes proxy =
		BYTES("PROXY TCP4 203.0.113.7 203.0.113.8 5 80\r\n");
	struct ses_addr from;
	struct wire *w;
	struct far *f;

	meet_backs();
	ses_addr_parse(bytes_of_str(froms[how & 3]),
		       (uint16_t)(FIRST_CLIENT + town.n_far), &from);
	w = kernel_arrive(how & 4 ? 81 : 80, &from);
	if (!w)
		return;
	f = meet(w);
	if (!(how & 4))
		return;
	f->skip = proxy.len;
	far_say(f, proxy);
}

static void ask(struct far *f, struct script *s)
{
	static const char *const paths[] = {
		"/echo",   "/room/a", "/room/b%20b", "/talk", "/ws/x?y=1",
		"/cut",	   "/asked",  "/seen",	     "/only", "/nowhere",
		"/ws/../", "/room/",  "/only"};
	unsigned how = next_byte(s);

	if (!is_back(f))
		far_ask(f, paths[next_byte(s) % 13], how);
}

static void say(struct far *f, struct script *s)
{
	f->raw = f->unsure = true;
	f->raw_head |= !f->asked && !is_back(f);
	far_say(f, next_run(s));
}

/* Where it is echoed it is known what comes back. */
static void say_message(struct far *f, struct script *s)
{
	far_say_message(f, s, true);
}

static void post(struct far *f, struct script *s)
{
	struct bytes body = next_run(s);
	struct ses_buf out;

	if (is_back(f))
		return;
	f->raw = f->unsure = true;
	f->raw_head |= !f->asked;
	ses_buf_init(&out, 4096);
	ses_buf_printf(&out,
		       "POST /room/a HTTP/1.1\r\nHost: a.example\r\n"
		       "Content-Length: %zu\r\nExpect: 100-continue\r\n\r\n",
		       body.len);
	ses_buf_append(&out, body);
	far_say(f, ses_buf_bytes(&out));
	ses_buf_fini(&out);
}

/* The answer of a server behind, right or wrong. */
static void answer(struct far *f, struct script *s)
{
	static const char *const refusals[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n",
		"HTTP/1.1 200 OK\r\nX-User: ann\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n",
		"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=b\r\n"
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};
	unsigned how = next_byte(s);
	char accept[SES_ACCEPT_LEN];
	struct ses_buf out;

	if (!is_back(f))
		return;
	if (how % 3) {
		far_say(f, bytes_of_str(refusals[how / 3 % 6]));
		return;
	}
	ses_key_accept(bytes_of_str(f->key), accept);
	ses_buf_init(&out, 1024);
	ses_buf_printf(&out,
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %.*s\r\n%s\r\n",
		       (int)sizeof(accept), accept,
		       how & 32 ? "Sec-WebSocket-Protocol: chat\r\n" : "");
	far_say(f, ses_buf_bytes(&out));
	/* it counts as the acceptance that it may be */
	if (!f->accepted)
		f->accepted = ses_buf_len(&f->said);
	ses_buf_fini(&out);
}

static void hinder(struct script *s)
{
	static const struct hindrance rows[] = {
		{KERNEL_ACCEPT, EMFILE},       {KERNEL_ACCEPT, ECONNABORTED},
		{KERNEL_RECV, EINTR},	       {KERNEL_RECV, EAGAIN},
		{KERNEL_SEND, EINTR},	       {KERNEL_SEND, EAGAIN},
		{KERNEL_SEND, ENOBUFS},	       {KERNEL_SEND, ECONNRESET},
		{KERNEL_CONNECT, 0},	       {KERNEL_CONNECT, ECONNREFUSED},
		{KERNEL_CONNECT, ENETUNREACH}, {KERNEL_SOCKET, EMFILE},
		{KERNEL_WATCH, ENOSPC},
	};

	hinder_by(s, rows, sizeof(rows) / sizeof(rows[0]));
}

static void adopt(struct gate_policy *policy, struct gate_doors *doors)
{
	for (size_t i = 0; i < policy->n_routes; i++) {
		struct gate_route *route = &policy->route[i];
		struct hub_rules rules = gate_hub_rules(&route->hub);

		if (route->to == GATE_TO_HUB)
			route->hub.space = hub_find_space(
				town.hub, route->path, &rules);
	}
	gate_metrics_adopt(town.metrics, doors);
}

static void reload(void)
{
	struct gate_policy *next = town.policy[!town.which];
	struct gate_health *health;
	struct gate_doors *doors;
	char text[512];

	if (town.leaving)
		return;
	doors = gate_doors_open(next, 1, town.doors, text, sizeof(text));
	if (!doors)
		return; /* no descriptor was left */
	adopt(next, doors);
	health = gate_health_new(town.loop, next, town.policy[town.which]);
	gate_health_free(town.health);
	town.health = health;
	gate_serve(town.gate, doors);
	gate_doors_unref(town.doors);
	town.doors = doors;
	town.which = !town.which;
	town.reloaded = true;
}

static void leave(void)
{
	if (town.leaving)
		return;
	town.leaving = true;
	gate_health_free(town.health);
	town.health = NULL;
	gate_leave(town.gate);
}

static void move_far(unsigned what, struct script *s)
{
	static void (*const moves[])(struct far *, struct script *) = {
		ask,	  say,	      say_message, far_say_control,
		far_part, far_strain, answer,	   far_take_call,
		post};
	struct far *f = pick(next_byte(s));

	if (f)
		moves[what](f, s);
}

static void play(struct script *s)
{
	unsigned byte = next_byte(s), what = (byte & 0x7f) % 15;

	if (what < 9)
		move_far(what, s);
	else if (what == 9 || what == 10)
		arrive(s);
	else if (what == 11)
		kernel_pass(next_time(s));
	else if (what == 12)
		hinder(s);
	else if (what == 13 && next_byte(s) % 4 == 0)
		reload();
	else if (what == 14 && next_byte(s) % 8 == 0)
		leave();
	if (!(byte & 0x80))
		turn();
}

/* ---- The whole ---- */

static struct gate_policy *read_policy(const char *text)
{
	struct gate_policy *policy;
	struct ses_buf errors;

	ses_buf_init(&errors, 4096);
	policy = gate_config_parse("f", bytes_of_str(text), false, &errors);
	if (!policy)
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	demand(policy, "the configuration can be read");
	ses_buf_fini(&errors);
	return policy;
}

/* What pools have learnt is forgotten, so that all runs begin alike. */
static void renew_pools(struct gate_policy *policy)
{
	char text[256];

	for (size_t i = 0; i < policy->n_routes; i++) {
		struct gate_route *route = &policy->route[i];

		demand(atomic_load(&policy->live[i]) == 0,
		       "who came in has gone out");
		if (!route->pool)
			continue;
		for (size_t k = 0; k < route->n_servers; k++)
			demand(gate_pool_state(route->pool, k, 0).live == 0,
			       "who was led to a server has left it");
		gate_pool_free(route->pool);
		route->pool = gate_pool_new(route, false, text, sizeof(text));
	}
}

static void open_town(void)
{
	static const uint8_t seed[SES_HASH_SEED] = "the same forever";
	struct gate_policy *const *policy = town.policy;
	char text[512] = "";

	town.loop = sesame_loop_new();
	town.gate = gate_new(town.loop, 0, NULL);
	town.hub = hub_new(1, &gate_hub_events, hub_memory_new());
	town.metrics = gate_metrics_new(1);
	town.limiter = gate_limiter_new(LIMITER_KEYS, seed);
	town.recent = gate_recent_new();
	town.told = gate_told_new(seed);
	town.doors = gate_doors_open(policy[0], 1, NULL, text, sizeof(text));
	demand(town.gate && town.hub && town.metrics && town.limiter &&
		       town.recent && town.told && town.doors,
	       "the gateway can be opened");
	town.gate->limiter = town.limiter;
	town.gate->recent = town.recent;
	town.gate->told = town.told;
	town.gate->seat = hub_take_seat(town.hub, 0, town.loop);
	town.gate->no_route = gate_metrics_no_route(town.metrics);
	adopt(policy[0], town.doors);
	town.health = gate_health_new(town.loop, policy[0], NULL);
	demand(town.health && gate_serve(town.gate, town.doors) == 0,
	       "the doors can be opened");
}

/* Nobody says anything any more: whoever is there has to be given up. */
static void fall_silent(void)
{
	gate_health_free(town.health);
	town.health = NULL;
	for (int i = 0; i < 50; i++) {
		for (unsigned k = 0; k < town.n_far; k++) {
			struct far *f = &town.far[k];

			f->mute = true;
			f->wire->piece = WIRE_ROOM;
		}
		turn();
		/* a tunnel's silence may last an hour */
		kernel_pass(i < 40 ? 2500 : 1000000);
	}
	demand(gate_is_empty(town.gate), "nobody is kept who is silent");
	demand(town.loop->n_lingering == 0, "nobody lingers for ever");
	for (unsigned i = 0; i < town.n_far; i++)
		demand(town.far[i].wire->closed ||
			       town.far[i].wire->state == WIRE_REFUSED,
		       "who is given up is closed");
}

static void check_counts(void)
{
	size_t keys, live;

	gate_limiter_count(town.limiter, &keys, &live);
	demand(live == 0, "limits have forgotten who left");
}

static void close_town(unsigned how)
{
	if (how & 1)
		fall_silent();
	if (how & 2)
		leave();
	for (unsigned i = 0; i < (how >> 3 & 7); i++)
		turn();
	gate_health_free(town.health);
	town.gate->n_not_logged = 0;
	gate_free(town.gate);
	check_counts();
	sesame_loop_free(town.loop);
	hub_free(town.hub);
	gate_doors_unref(town.doors);
	gate_metrics_free(town.metrics);
	gate_recent_free(town.recent);
	gate_told_free(town.told);
	for (unsigned i = 0; i < town.n_far; i++)
		far_end(&town.far[i]);
	kernel_stop();
	renew_pools(town.policy[0]);
	renew_pools(town.policy[1]);
	gate_limiter_free(town.limiter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_policy *first, *second;
	struct script s = {bytes_of(data, size)};
	unsigned how;

	if (size > 4096)
		return 0;
	if (!first) {
		first = read_policy(first_text);
		second = read_policy(second_text);
	}
	how = next_byte(&s);
	kernel_start(how);
	memset(&town, 0, sizeof(town));
	town.policy[0] = first;
	town.policy[1] = second;
	open_town();
	while (!is_over(&s))
		play(&s);
	turn();
	close_town(how);
	return 0;
}
