/* SPDX-License-Identifier: MIT */
/*
 * Paths worth a try: what the answers and pages tell first, then the relatives
 * of the user's own path, then the usual homes of what was recognised.
 */
#include "doctor/harvest_inner.h"

#include "base/percent.h"

static struct bytes without_slash(struct bytes path)
{
	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	return path;
}

static void add_slashed(struct bytes path, struct doctor_values *v)
{
	if (path.len > 1 && path.data[path.len - 1] == '/')
		doctor_add_value(v, "%.*s", (int)path.len - 1,
				 (const char *)path.data);
	else if (path.len > 1)
		doctor_add_value(v, "%.*s/", BYTES_ARG(path));
}

/* Prefixes and suffixes that proxies and frameworks add or take away. */
static void add_relatives(struct bytes path, struct doctor_values *v)
{
	bool ws = bytes_starts(path, BYTES("/ws")) || /* it says so itself */
		  bytes_starts(path, BYTES("/websocket"));
	size_t second = 1;

	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	if (path.len < 2)
		return;
	while (second < path.len && path.data[second] != '/')
		second++;
	if (!ws)
		doctor_add_value(v, "%.*s/ws", BYTES_ARG(path));
	doctor_add_value(v, "%.*s/websocket", BYTES_ARG(path));
	if (second < path.len) /* "/api" is what proxies take away */
		doctor_add_path(bytes_from(path, second), v);
	doctor_add_value(v, "/api%.*s", BYTES_ARG(path));
	if (!ws && !bytes_starts(path, BYTES("/v")))
		doctor_add_value(v, "/v1%.*s", BYTES_ARG(path));
	/* of 42 that were tried none was below /ws, 2 of 31 below /api */
	if (!ws)
		doctor_add_value(v, "/ws%.*s", BYTES_ARG(path));
	if (ws)
		doctor_add_value(v, "/api/v1%.*s", BYTES_ARG(path));
	doctor_add_value(v, "/app%.*s", BYTES_ARG(path));
	if (second < path.len)
		doctor_add_path(bytes_first(path, second), v);
}

static void add_lower(struct bytes path, struct doctor_values *v)
{
	char text[300];

	if (path.len == 0 || path.len >= sizeof(text))
		return;
	for (size_t i = 0; i < path.len; i++)
		text[i] = (char)byte_lower(path.data[i]);
	text[path.len] = 0;
	if (memcmp(text, path.data, path.len) != 0)
		doctor_add_value(v, "%s", text);
}

/* Where the applications that speak a subprotocol usually are. */
static const struct {
	const char *protocol; /* how its name begins */
	const char *path[3];
} homes[] = {
	{"xmpp", {"/xmpp-websocket", "/ws", "/websocket"}},
	{"mqtt", {"/mqtt", "/ws", "/"}},
	{"graphql", {"/graphql", "/subscriptions", "/api/graphql"}},
	{"v12.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"v11.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"v10.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"wamp", {"/ws", "/", "/wamp"}},
	{"sip", {"/", "/ws", "/sip"}},
	{"binary", {"/websockify", "/", "/ws"}},
	{"base64", {"/websockify", "/", "/ws"}},
	{"actioncable", {"/cable", "/", "/ws"}},
	{"vite-hmr", {"/", "/@vite/client", "/ws"}},
	{"tty", {"/ws", "/", "/tty"}},
	{"janus-protocol", {"/", "/janus", "/ws"}},
	{"ocpp", {"/ocpp/1", "/ocpp", "/1"}},
	{"soap", {"/", "/ocpp", "/ws"}},
	{"jmap", {"/jmap/ws", "/jmap/ws/", "/ws"}},
};

static void add_homes(const struct doctor_case *c, struct doctor_values *v)
{
	struct bytes list = bytes_of_str(c->subprotocols), one;

	while (bytes_next_element(&list, &one))
		for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
			for (size_t k = 0;
			     k < 3 &&
			     bytes_starts(one, bytes_of_str(homes[i].protocol));
			     k++)
				doctor_add_value(v, "%s", homes[i].path[k]);
}

/* engine.io has one path of its own, and Socket.IO another for the same. */
static void add_engines(const struct doctor_case *c, struct doctor_values *v)
{
	static const char *const mounts[] = {"/socket.io/", "/engine.io/"};

	if (!bytes_contains_nocase(c->url.query, BYTES("transport=")))
		return;
	for (size_t i = 0; i < 2; i++)
		doctor_add_value(
			v, "%s?%.*s", mounts[i],
			BYTES_ARG(bytes_contains_nocase(c->url.query,
							BYTES("EIO="))
					  ? bytes_of_str(
						    "EIO=4&transport=websocket")
					  : c->url.query));
}

/* "//chat" is "/chat", "/%63hat" too: servers differ in whether they see it. */
static void add_plain(struct bytes path, struct doctor_values *v)
{
	char text[300];
	size_t n = 0;

	if (path.len >= sizeof(text))
		return;
	while (path.len > 0) {
		uint8_t b = ses_percent_next(&path);

		if (b <= ' ' || b >= 0x7f || b == '?' || b == '#')
			return;
		if (b != '/' || n == 0 || text[n - 1] != '/')
			text[n++] = (char)b;
	}
	doctor_add_value(v, "%.*s", (int)n, text);
}

/* "/v1/ticks" may have become "/v2/ticks". */
static void add_versions(struct bytes path, struct doctor_values *v)
{
	for (size_t i = 0; i + 2 < path.len; i++) {
		uint8_t digit = path.data[i + 2];

		if (path.data[i] != '/' || path.data[i + 1] != 'v' ||
		    digit < '1' || digit > '8' ||
		    (i + 3 < path.len && path.data[i + 3] != '/'))
			continue;
		doctor_add_value(v, "%.*s/v%c%.*s", (int)i,
				 (const char *)path.data, digit + 1,
				 BYTES_ARG(bytes_from(path, i + 3)));
		if (digit > '1')
			doctor_add_value(v, "%.*s/v%c%.*s", (int)i,
					 (const char *)path.data, digit - 1,
					 BYTES_ARG(bytes_from(path, i + 3)));
		return;
	}
}

/* Whether the value is the user's own path and query. */
static bool is_own(const struct doctor_case *c, const char *value)
{
	struct bytes text = bytes_of_str(value);

	return bytes_starts(text, c->url.path) && text.len > c->url.path.len &&
	       text.data[c->url.path.len] == '?' &&
	       bytes_equal(bytes_from(text, c->url.path.len + 1), c->url.query);
}

static void add_guesses(const struct doctor_chart *chart, struct bytes path,
			struct doctor_values *v)
{
	/* those that real servers have most often come first */
	static const char *const usual[] = {
		"/ws",
		"/",
		"/websocket",
		"/socket.io/?EIO=4&transport=websocket",
		"/echo",
		"/ws/",
		"/socket",
		"/live",
		"/api/ws",
		"/events",
		"/chat",
		"/cable",
		"/live/websocket",
		"/stream",
		"/api/v1/ws",
		"/graphql",
		"/subscriptions",
		"/mqtt",
		"/hub",
		"/socket/websocket",
		"/xmpp-websocket",
		"/websockify",
		"/connection/websocket",
	};
	const struct doctor_case *c = chart->c;

	add_slashed(path, v);
	add_lower(path, v);
	add_plain(path, v);
	add_engines(c, v);
	add_homes(c, v);
	for (size_t i = 0; i < 3; i++)
		doctor_add_value(v, "%s", usual[i]);
	add_versions(path, v);
	add_relatives(path, v);
	for (size_t i = 3; i < sizeof(usual) / sizeof(usual[0]); i++)
		doctor_add_value(v, "%s", usual[i]);
}

/* The site's root leads to where the application is: so may its WebSocket. */
static void add_mounted(struct bytes mount, struct bytes path,
			struct doctor_values *v)
{
	for (size_t i = 0; i < mount.len; i++)
		if (mount.data[i] == '?' || mount.data[i] == '#')
			mount.len = i;
	mount = without_slash(mount);
	if (mount.len < 2 || mount.len > 100 || mount.data[0] != '/' ||
	    mount.data[1] == '/')
		return;
	doctor_add_value(v, "%.*s%.*s", BYTES_ARG(mount), BYTES_ARG(path));
	doctor_add_value(v, "%.*s/ws", BYTES_ARG(mount));
}

/*
 * Where the application itself believes to be: what stands in the links of its
 * page before the folder of its scripts and styles. Empty: at the root.
 */
static struct bytes mount_of(struct bytes link)
{
	static const char *const folders[] = {
		"/static/", "/assets/", "/public/", "/dist/",
		"/build/",  "/_next/",	"/js/",	    "/css/"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const uint8_t *hit = memmem(link.data, link.len, folders[i],
					    strlen(folders[i]));

		if (hit)
			return bytes_first(link, (size_t)(hit - link.data));
	}
	return bytes_first(link, 0);
}

/* The page of an error that links below another folder than was asked for. */
static void add_linked_mount(struct bytes body, struct bytes path,
			     struct doctor_values *v)
{
	const uint8_t *hit;

	while (body.data &&
	       (hit = memmem(body.data, body.len, "=\"/", 3)) != NULL) {
		struct bytes link = bytes_from(body,
					       (size_t)(hit - body.data) + 2),
			     mount;
		ptrdiff_t end = bytes_find_byte(link, '"');

		body = link;
		mount = mount_of(bytes_first(link, end < 0 ? 0 : (size_t)end));
		if (mount.len > 1 && !bytes_starts(path, mount)) {
			add_mounted(mount, path, v);
			return;
		}
	}
}

bool doctor_is_led_on(const struct doctor_case *c, const struct doctor_probe *p)
{
	static const char *const doors[] = {"login", "signin", "sign-in",
					    "auth",  "sso",    "error"};
	struct bytes to = doctor_field(p, "Location");

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++)
		if (bytes_contains_nocase(to, bytes_of_str(doors[i])))
			return false;
	return p->trial.change == DOCTOR_PLAIN_GET && p->status / 100 == 3 &&
	       doctor_own_path(c, to).len > 0;
}

/* engine.io listens at its path with a slash, whoever wrote it down without. */
static void end_engines(const struct doctor_case *c, struct doctor_values *v)
{
	const char *end =
		doctor_is_engine(c) ? "/" : "/?EIO=4&transport=websocket";

	for (size_t i = 0; i < v->n; i++) {
		char *value = v->value[i];
		size_t n = strlen(value);

		if (n > 9 && n + strlen(end) < sizeof(v->value[i]) &&
		    (strcmp(value + n - 9, "socket.io") == 0 ||
		     strcmp(value + n - 9, "engine.io") == 0))
			memcpy(value + n, end, strlen(end) + 1);
	}
}

void doctor_harvest_paths(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	struct bytes path = c->url.path.len ? c->url.path : BYTES("/");

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes location = doctor_field(p, "Location");

		if (p->status / 100 == 3 &&
		    (!doctor_is_fetched(p) || doctor_is_led_on(c, p)))
			doctor_add_path(doctor_own_path(c, location), v);
		if (p->status / 100 == 3 &&
		    p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    strcmp(p->trial.value, "/") == 0)
			add_mounted(location.data && location.data[0] == '/'
					    ? location
					    : doctor_own_path(c, location),
				    path, v);
		doctor_add_engine_paths(doctor_body(p), v);
		doctor_add_links(c, doctor_body(p), v);
		if (p->status == 200 && p->trial.change != DOCTOR_PAGE)
			doctor_add_listed_paths(c, doctor_body(p), v);
		doctor_add_script_paths(doctor_body(p), v);
		if (p->status >= 400 && p->trial.change != DOCTOR_PATH)
			doctor_add_named_paths(doctor_body(p), v);
		if (p->status == 404 && p->trial.change == DOCTOR_NOTHING)
			add_linked_mount(doctor_body(p), path, v);
		if (doctor_is_page(p) && p->status == 200)
			doctor_add_library_paths(doctor_body(p), v);
		if (bytes_contains_nocase(bytes_first(doctor_body(p), 200),
					  BYTES("welcome to sockjs"))) {
			doctor_add_value(v, "%.*s/websocket",
					 BYTES_ARG(without_slash(path)));
			/* the bare socket can be off, a session's is not */
			doctor_add_value(v, "%.*s/000/sesame/websocket",
					 BYTES_ARG(without_slash(path)));
		}
	}
	if (!chart->blind)
		doctor_add_homes(chart, v);
	end_engines(c, v);
	doctor_drop_value(v, path);
	v->n_told = v->n;
	add_guesses(chart, path, v);
	for (size_t i = v->n_told; i < v->n; i++)
		if (bytes_equal_str(path, v->value[i]) || is_own(c, v->value[i]))
			doctor_drop_value(v, bytes_of_str(v->value[i--]));
}

/* ---- side resources ---- */

/* What lists the WebSockets of its kind, beside them. */
void doctor_harvest_side(const struct doctor_chart *chart,
			 struct doctor_values *v)
{
	static const struct bytes tail = {(const uint8_t *)"/websocket", 10};
	const struct doctor_case *c = chart->c;
	struct bytes path = without_slash(c->url.path);

	for (size_t i = 0; i < chart->n_probes; i++)
		if (bytes_contains_nocase(
			    bytes_first(doctor_body(chart->probe[i]), 200),
			    BYTES("WebSockets request was "
				  "expected")))
			doctor_add_value(v, "/json/list"); /* an inspector's */
	/* a development server waits for its own subprotocol alone */
	if (bytes_contains_nocase(bytes_of_str(c->subprotocols),
				  BYTES("vite-hmr")) ||
	    doctor_found(chart, DOCTOR_F_UPGRADE_SWALLOWED))
		doctor_add_value(v, "/@vite/client");
	if (path.len > tail.len &&
	    bytes_equal(bytes_from(path, path.len - tail.len), tail))
		doctor_add_value(v, "%.*s/info", (int)(path.len - tail.len),
				 (const char *)path.data); /* SockJS's */
}
