/* SPDX-License-Identifier: MIT */
/*
 * Which values are worth a try? For each row of trials.def its candidates, best
 * first: what the server's own answers and pages tell (harvest.c), and whether
 * the row has a question at all, as things stand.
 */
#include "doctor/candidates.h"

#include <assert.h>
#include <stdio.h>

#include <sesame/error.h>

#include "net/addr.h"

#include "doctor/alike.h"
#include "doctor/doubt.h"
#include "doctor/harvest.h"
#include "doctor/key.h"
#include "doctor/pair.h"

#define BROWSER                                                     \
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 " \
	"Firefox/140.0"

/* ---- the values that the rows name; each yields the @i-th, or false ---- */

static bool put(char *out, size_t size, const char *text)
{
	int n = snprintf(out, size, "%s", text);

	return n >= 0 && (size_t)n < size;
}

static bool once(const struct doctor_chart *chart, size_t i, char *out,
		 size_t size)
{
	return i == 0 && put(out, size, "");
}

static bool if_origin_sent(const struct doctor_chart *chart, size_t i,
			   char *out, size_t size)
{
	return chart->c->origin && once(chart, i, out, size);
}

static bool if_subprotocol_sent(const struct doctor_chart *chart, size_t i,
				char *out, size_t size)
{
	return chart->c->subprotocols && once(chart, i, out, size);
}

static bool if_credentials_sent(const struct doctor_chart *chart, size_t i,
				char *out, size_t size)
{
	return doctor_has_credentials(chart->c) && once(chart, i, out, size);
}

static bool if_no_credentials_sent(const struct doctor_chart *chart, size_t i,
				   char *out, size_t size)
{
	return !doctor_has_credentials(chart->c) && once(chart, i, out, size);
}

static bool if_query_sent(const struct doctor_chart *chart, size_t i, char *out,
			  size_t size)
{
	return chart->c->url.query.data && once(chart, i, out, size);
}

static bool if_source_given(const struct doctor_chart *chart, size_t i,
			    char *out, size_t size)
{
	return chart->c->source && !chart->c->proxy && once(chart, i, out, size);
}

static bool if_proxied(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	return chart->c->proxy && once(chart, i, out, size);
}

/* Something besides the Origin and the subprotocol, which have own trials. */
static bool if_much_sent(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	return chart->c->n_headers > 0 && once(chart, i, out, size);
}

/* At the root; and beside this path, where the root may be another's. */
static bool nonsense(const struct doctor_chart *chart, size_t i, char *out,
		     size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (i == 0)
		return put(out, size, DOCTOR_NONSENSE_PATH);
	return i == 1 && base && doctor_looks_shut_by_ws(base) &&
	       !doctor_found(chart, DOCTOR_F_NONSENSE_SAME) &&
	       doctor_sibling_path(chart->c, out, size);
}

/* Whether it is this name alone, of those at a path that exists, that is
 * refused. What opens for nobody in particular asks for no credentials. */
static bool name_beside(const struct doctor_chart *chart, size_t i, char *out,
			size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return i == 0 && base && base->status == 403 &&
	       !doctor_has_credentials(chart->c) &&
	       doctor_found(chart, DOCTOR_F_NONSENSE_DIFFERS) &&
	       doctor_namesake_path(chart->c, out, size);
}

static bool root(const struct doctor_chart *chart, size_t i, char *out,
		 size_t size)
{
	return i == 0 && chart->c->url.path.len > 1 && put(out, size, "/");
}

static bool root_of_own_page(const struct doctor_chart *chart, size_t i,
			     char *out, size_t size)
{
	const struct doctor_case *c = chart->c;

	return i == 0 && c->origin && doctor_is_own_origin(c, c->origin) &&
	       put(out, size, "/");
}

typedef void harvest_fn(const struct doctor_chart *chart,
			struct doctor_values *v);

/*
 * What was harvested for the plan at work. Each row asks for one value after
 * the other, and to read all pages anew for each would give a hostile one's
 * author seconds of our time.
 */
static struct {
	harvest_fn *by;
	struct doctor_values v;
} harvested[12];

static size_t n_harvested;

static const struct doctor_values *harvest(const struct doctor_chart *chart,
					   harvest_fn *by)
{
	size_t i = 0;

	while (i < n_harvested && harvested[i].by != by)
		i++;
	if (i < n_harvested)
		return &harvested[i].v;
	assert(i < sizeof(harvested) / sizeof(harvested[0]));
	n_harvested++;
	harvested[i].by = by;
	harvested[i].v.n = harvested[i].v.n_told = 0;
	by(chart, &harvested[i].v);
	return &harvested[i].v;
}

static bool nth(const struct doctor_values *v, size_t i, char *out, size_t size)
{
	return i < v->n && put(out, size, v->value[i]);
}

static bool origins(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	const struct doctor_values *v;
	bool secret = doctor_has_credentials(chart->c);
	size_t n = 0;

	v = harvest(chart, doctor_harvest_origins);
	for (size_t k = 0; k < v->n; k++) {
		if (chart->c->origin &&
		    strcmp(v->value[k], chart->c->origin) == 0)
			continue;
		/* credentials do not travel with a made-up origin */
		if (secret && strcmp(v->value[k], DOCTOR_NONSENSE_ORIGIN) == 0)
			continue;
		if (n++ == i)
			return put(out, size, v->value[k]);
	}
	return false;
}

static bool hosts(const struct doctor_chart *chart, size_t i, char *out,
		  size_t size)
{
	const struct doctor_values *v = harvest(chart, doctor_harvest_hosts);

	return nth(v, i, out, size);
}

/* Whether every path that was tried, a nonsense one too, fares alike. */
static bool paths_alike(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (!doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH))
		return false;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.change == DOCTOR_PATH &&
		    !doctor_same_answer(base, chart->probe[i]))
			return false;
	return true;
}

bool doctor_told_path(const struct doctor_chart *chart, size_t i, char *out,
		      size_t size)
{
	const struct doctor_values *v = harvest(chart, doctor_harvest_paths);

	return i < v->n_told && nth(v, i, out, size);
}

static bool any_path(const struct doctor_chart *chart, size_t i, char *out,
		     size_t size)
{
	const struct doctor_values *v = harvest(chart, doctor_harvest_paths);

	return nth(v, v->n_told + i, out, size);
}

/* Guesses; where all fare alike, other experiments come before the next. */
static bool paths(const struct doctor_chart *chart, size_t i, char *out,
		  size_t size)
{
	return (i < 3 || !paths_alike(chart)) && any_path(chart, i, out, size);
}

static bool more_paths(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	return paths_alike(chart) && any_path(chart, i, out, size);
}

static bool scripts(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	const struct doctor_values *v = harvest(chart, doctor_harvest_scripts);

	return nth(v, i, out, size);
}

static bool side_pages(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	const struct doctor_values *v = harvest(chart, doctor_harvest_side);

	return nth(v, i, out, size);
}

/* The other transport of engine.io tells in words what this one does not. */
static bool twin(const struct doctor_chart *chart, size_t i, char *out,
		 size_t size)
{
	return i == 0 && doctor_is_engine(chart->c) && put(out, size, "once");
}

static bool named_ports(const struct doctor_chart *chart, size_t i, char *out,
			size_t size)
{
	const struct doctor_values *v =
		harvest(chart, doctor_harvest_named_ports);

	return nth(v, i, out, size);
}

static bool redirect_target(const struct doctor_chart *chart, size_t i,
			    char *out, size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return base && base->status / 100 == 3 &&
	       doctor_told_path(chart, i, out, size) && i == 0;
}

static bool subprotocols(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	const struct doctor_values *v;

	/* An open connection has a question only when the offer was ignored. */
	if (doctor_found(chart, DOCTOR_F_OPEN) &&
	    !doctor_found(chart, DOCTOR_F_SUBPROTOCOL_UNCHOSEN))
		return false;
	v = harvest(chart, doctor_harvest_subprotocols);
	return nth(v, i, out, size);
}

static bool told_subprotocols(const struct doctor_chart *chart, size_t i,
			      char *out, size_t size)
{
	const struct doctor_values *v =
		harvest(chart, doctor_harvest_subprotocols);

	return i < v->n_told && nth(v, i, out, size);
}

/* A page of a service's state is at a port beside the service itself. */
static bool ports_beside_state(const struct doctor_chart *chart, size_t i,
			       char *out, size_t size)
{
	return doctor_found(chart, DOCTOR_F_STATE_PAGE) &&
	       doctor_found(chart, DOCTOR_F_GET_SAME_PAGE) &&
	       nth(harvest(chart, doctor_harvest_ports), i, out, size);
}

static bool ports(const struct doctor_chart *chart, size_t i, char *out,
		  size_t size)
{
	const struct doctor_probe *get =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_values *v;

	/* there is an HTTP server at this one */
	if ((get && get->status) ||
	    (doctor_fell_silent(chart) && doctor_answers_tls_in_http(chart)))
		return false;
	/* what was sent may be in the way, before the port is doubted */
	if (chart->c->origin && !doctor_tried(chart, DOCTOR_NO_ORIGIN, NULL) &&
	    doctor_baseline(chart)->outcome == DOCTOR_NO_ANSWER)
		return false;
	for (size_t k = 0; k < chart->n_probes; k++)
		if (chart->probe[k]->status &&
		    chart->probe[k]->trial.change != DOCTOR_PORT &&
		    chart->probe[k]->trial.change != DOCTOR_SCHEME)
			return false;
	v = harvest(chart, doctor_harvest_ports);
	return nth(v, i, out, size);
}

static bool agents(const struct doctor_chart *chart, size_t i, char *out,
		   size_t size)
{
	static const char *const agent[] = {BROWSER, "curl/8.14.1"};

	return i < 2 && strcmp(agent[i], chart->c->user_agent) != 0 &&
	       put(out, size, agent[i]);
}

static bool sources(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	static const char *const address[] = {"127.0.0.2", "127.0.1.1"};
	const struct doctor_case *c = chart->c;

	return i < 2 && doctor_is_loopback(c) && !c->proxy && c->family != 6 &&
	       c->url.host_kind != SES_HOST_IPV6 &&
	       !(c->source && strcmp(c->source, address[i]) == 0) &&
	       put(out, size, address[i]);
}

/*
 * Whoever chooses by the name in TLS knows no addresses; the name that every
 * machine has for itself leads to the same place.
 */
static bool names(const struct doctor_chart *chart, size_t i, char *out,
		  size_t size)
{
	const struct doctor_case *c = chart->c;

	return i == 0 && c->url.tls && !c->proxy && !c->connect_host &&
	       (bytes_equal_str(c->url.host, "127.0.0.1") ||
		bytes_equal_str(c->url.host, "::1")) &&
	       !doctor_found(chart, DOCTOR_F_TLS_UNTRUSTED) &&
	       !doctor_found(chart, DOCTOR_F_TLS_EXPIRED) &&
	       !doctor_found(chart, DOCTOR_F_TLS_HOSTNAME) &&
	       !doctor_found(chart, DOCTOR_F_TLS_NOT_TLS) &&
	       put(out, size, "localhost");
}

/* Where the door shuts without a word: before anything was said, or after? */
static bool if_shut(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return !chart->c->proxy && !doctor_speaks_http(chart) &&
	       (doctor_found(chart, DOCTOR_F_TLS_CUT) ||
		(base->outcome == DOCTOR_NO_ANSWER &&
		 base->error != SESAME_ETIMEOUT &&
		 doctor_tried(chart, DOCTOR_PLAIN_GET, NULL))) &&
	       once(chart, i, out, size);
}

/*
 * Load balancers say before all else for whom they come, if they are told to.
 * Some whom they say it to do without the addresses, and some do not; one of
 * this machine is the only one that is known here.
 */
static bool proxy_lines(const struct doctor_chart *chart, size_t i, char *out,
			size_t size)
{
	const struct ses_url *url = &chart->c->url;
	const char *kind = url->host_kind == SES_HOST_IPV6 ? "TCP6" : "TCP4";
	char line[100] = "UNKNOWN";

	if (doctor_is_loopback(chart->c) && url->host_kind != SES_HOST_NAME)
		snprintf(line, sizeof(line), "%s %.*s %.*s %u %u", kind,
			 BYTES_ARG(url->host), BYTES_ARG(url->host), url->port,
			 url->port);
	return (doctor_found(chart, DOCTOR_F_TLS_CUT) ||
		doctor_found(chart, DOCTOR_F_SHUT_WHEN_ASKED)) &&
	       !doctor_found(chart, DOCTOR_F_SHUT_IN_HTTP) &&
	       if_shut(chart, i, out, size) && put(out, size, line);
}

/*
 * The Origin passes without its port: compared with a Host that lost it on the
 * way, or on a list that forgot it? To a list this name is as foreign as any.
 */
static bool name_for_both(const struct doctor_chart *chart, size_t i, char *out,
			  size_t size)
{
	struct ses_url url = chart->c->url;
	char host[64];

	url.host = BYTES(DOCTOR_NONSENSE_NAME);
	url.host_kind = SES_HOST_NAME;
	return i == 0 && doctor_found(chart, DOCTOR_F_ORIGIN_PORTLESS_OPENS) &&
	       !doctor_has_credentials(chart->c) &&
	       ses_url_host_field(&url, host, sizeof(host)) >= 0 &&
	       put(out, size, host);
}

static bool versions(const struct doctor_chart *chart, size_t i, char *out,
		     size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes list = {0}, one;

	if (doctor_found(chart, DOCTOR_F_VERSION_BY_HAND))
		return i == 0 && put(out, size, "13");
	if (base && doctor_found(chart, DOCTOR_F_VERSION_LISTED))
		list = ses_head_get(&base->parsed, "Sec-WebSocket-Version");
	for (size_t n = 0; bytes_next_element(&list, &one); n++)
		if (n == i && one.len > 0 && one.len < 6) {
			snprintf(out, size, "%.*s", BYTES_ARG(one));
			return true;
		}
	return false;
}

static bool key_again(const struct doctor_chart *chart, size_t i, char *out,
		      size_t size)
{
	return i == 0 && doctor_key_to_ask_again(chart, out, size);
}

static bool large_headers(const struct doctor_chart *chart, size_t i, char *out,
			  size_t size)
{
	return i == 0 && doctor_large_header(chart->c, out, size);
}

/* Fields with what rules of firewalls look for. */
static bool odd_headers(const struct doctor_chart *chart, size_t i, char *out,
			size_t size)
{
	const struct doctor_case *c = chart->c;

	for (size_t k = 0; k < c->n_headers; k++)
		if (doctor_is_attack(bytes_of_str(c->header[k].value), false) &&
		    i-- == 0)
			return put(out, size, c->header[k].name);
	return false;
}

static bool lacks_of_query(const struct doctor_chart *chart, size_t i,
			   char *out, size_t size)
{
	return nth(harvest(chart, doctor_harvest_lacks), i, out, size);
}

static bool versions_of_query(const struct doctor_chart *chart, size_t i,
			      char *out, size_t size)
{
	return nth(harvest(chart, doctor_harvest_versions), i, out, size);
}

/*
 * No server speaks this version, so whoever looks at handshakes refuses it:
 * where a sound one gets no answer, that tells one who loses what is accepted
 * from one who looks at none.
 */
static bool unfit_version(const struct doctor_chart *chart, size_t i, char *out,
			  size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	return i == 0 && g && g->status &&
	       doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD) &&
	       (doctor_found(chart, DOCTOR_F_GET_REACHES) ||
		(base->outcome == DOCTOR_NO_ANSWER &&
		 base->error == SESAME_ETIMEOUT)) &&
	       put(out, size, "99");
}

/* One by one, once it is known that to leave out all of them does not help. */
static bool parameters(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	return doctor_tried(chart, DOCTOR_NO_QUERY, NULL) &&
	       nth(harvest(chart, doctor_harvest_parameters), i, out, size);
}

static bool other_scheme(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	return i == 0 && put(out, size, chart->c->url.tls ? "ws" : "wss");
}

/* The family that was asked, where the name has addresses of both; or 0. */
static int one_of_both(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	int asked;

	if (!base || base->dial.peer.len == 0)
		return 0;
	asked = ses_addr_family(&base->dial.peer);
	for (size_t i = 0; i < base->dial.n_addresses; i++)
		if (ses_addr_family(&base->dial.address[i]) != asked)
			return asked;
	return 0;
}

static bool other_family(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	const struct doctor_case *c = chart->c;
	int family = c->family;

	if (c->proxy || c->source || i > 0)
		return false;
	if (!family && doctor_is_loopback(c))
		family = c->url.host_kind == SES_HOST_IPV6   ? 6
			 : c->url.host_kind == SES_HOST_IPV4 ? 4
							     : 0;
	if (!family && !c->connect_host)
		family = one_of_both(chart);
	return family && put(out, size, family == 6 ? "4" : "6");
}

static bool old_tls(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	return i < 2 && put(out, size, i == 0 ? "1.1" : "1.0");
}

/* A proxy of the user's own is one clock more, and some look at it but once in a
 * few seconds. */
static bool hold_seconds(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	return i == 0 && !chart->c->hold_given &&
	       put(out, size, chart->c->proxy ? "7" : "5");
}

/* Where HTTP/1.1 got no answer, or one that speaks of the version. */
static bool if_h2_suspected(const struct doctor_chart *chart, size_t i,
			    char *out, size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return !chart->c->proxy &&
	       (base->outcome != DOCTOR_ANSWERED || base->status == 505 ||
		base->status == 426 || base->status == 464 ||
		doctor_found(chart, DOCTOR_F_SAYS_HTTP2)) &&
	       once(chart, i, out, size);
}

/* A session is opened when the one before was tried. */
static bool session_turn(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	static const char *const tries[] = {"once", "again", "once more"};

	return i < 3 && (i == 0 || doctor_count(chart, DOCTOR_SESSION) >= i) &&
	       put(out, size, tries[i]);
}

static bool polling(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	return doctor_is_engine(chart->c) &&
	       !doctor_found(chart, DOCTOR_F_SESSION_IN_QUERY) &&
	       session_turn(chart, i, out, size);
}

/* The session of the URL, left out; and sessions that polling opens instead. */
static bool own_session(const struct doctor_chart *chart, size_t i, char *out,
			size_t size)
{
	return i == 0 && doctor_continues_session(chart->c) &&
	       put(out, size, "sid");
}

static bool polling_anew(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	return doctor_continues_session(chart->c) &&
	       doctor_tried(chart, DOCTOR_NO_PARAMETER, "sid") &&
	       session_turn(chart, i, out, size);
}

/* "SID", or "SID name=value" with the cookie that came with it. */
static bool session_of(const struct doctor_probe *p, char *out, size_t size)
{
	static const char name[] = "\"sid\":\"";
	struct bytes cookie = ses_head_get(&p->parsed, "Set-Cookie"), sid;
	const uint8_t *hit = p->body_len ? memmem(p->body, p->body_len, name,
						  sizeof(name) - 1)
					 : NULL;
	ptrdiff_t end = bytes_find_byte(cookie, ';');
	int n;

	if (!hit || p->outcome != DOCTOR_ANSWERED || p->status != 200)
		return false;
	sid = bytes_of(hit + sizeof(name) - 1, p->body_len -
						       (size_t)(hit - p->body) -
						       (sizeof(name) - 1));
	for (size_t k = 0; k < sid.len; k++)
		if (!ses_is_token(bytes_of(sid.data + k, 1)))
			sid.len = k;
	if (end >= 0)
		cookie = bytes_first(cookie, (size_t)end);
	if (bytes_find_byte(cookie, '=') < 0)
		cookie.len = 0;
	n = snprintf(out, size, "%.*s%s%.*s", BYTES_ARG(sid),
		     cookie.len ? " " : "", BYTES_ARG(cookie));
	return sid.len > 0 && n > 0 && (size_t)n < size;
}

static bool sessions(const struct doctor_chart *chart, size_t i, char *out,
		     size_t size)
{
	for (size_t k = 0; k < chart->n_probes; k++)
		if (chart->probe[k]->trial.change == DOCTOR_POLLING &&
		    session_of(chart->probe[k], out, size) && i-- == 0)
			return true;
	return false;
}

static bool sessions_anew(const struct doctor_chart *chart, size_t i, char *out,
			  size_t size)
{
	return doctor_continues_session(chart->c) &&
	       sessions(chart, i, out, size);
}

/* The origin that is in question, or one that nobody has. */
static bool preflights(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	const char *origin = chart->c->origin;

	return i == 0 && !doctor_key(chart) &&
	       doctor_count(chart, DOCTOR_ORIGIN) > 0 &&
	       put(out, size, origin ? origin : DOCTOR_NONSENSE_ORIGIN);
}

/* Whether the site itself, or the refuser, named the value. */
bool doctor_is_told(const struct doctor_chart *chart,
		    const struct doctor_trial *t)
{
	bool path = t->change == DOCTOR_PATH;
	char told[sizeof(t->value)];

	for (size_t i = 0;
	     path ? doctor_told_path(chart, i, told, sizeof(told))
		  : told_subprotocols(chart, i, told, sizeof(told));
	     i++)
		if (strcmp(told, t->value) == 0)
			return true;
	return false;
}

/* ---- the rows ---- */

static const struct {
	enum doctor_change change;
	bool (*values)(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size);
} rows[] = {
#define TRIAL(change, values, ...) {DOCTOR_##change, values},
#include "doctor/trials.def"
#undef TRIAL
};

void doctor_candidates_anew(void)
{
	n_harvested = 0;
}

bool doctor_candidate(const struct doctor_chart *chart, size_t row, size_t i,
		      char *out, size_t size)
{
	return rows[row].values(chart, i, out, size);
}

bool doctor_first_candidate(const struct doctor_chart *chart,
			    enum doctor_change change, char *out, size_t size)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		if (rows[r].change == change &&
		    rows[r].values(chart, 0, out, size))
			return true;
	return false;
}
