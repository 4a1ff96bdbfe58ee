/* SPDX-License-Identifier: MIT */
/*
 * The choice of the next experiment. Every row of trials.def says how surely a
 * trial would show which cause; with what is believed now, that says how much
 * it is expected to tell, and how likely it is to settle the case. The best of
 * them by cost is next. A pair that decides is repeated once, in the other
 * order, before it counts as proof.
 */
#include "doctor/plan.h"

#include <math.h>
#include <stdio.h>

#include <sesame/error.h>

#include "doctor/doubt.h"
#include "doctor/harvest.h"
#include "doctor/result.h"

/* How the user's own request ended, as the rows of trials.def see it. */
enum state {
	OPENED = 1,	  /* it opened */
	REFUSED = 2,	  /* an HTTP answer */
	MUTE = 4,	  /* connected, and no HTTP answer */
	AFTER = 8,	  /* a 101, and then something went wrong */
	UNCONNECTED = 16, /* names, TCP */
	PROXY = 32,	  /* the forward proxy */
	TLS = 64,
};

/*
 * Below this a trial is not worth the knock: a chance of one in fifty that it
 * settles the case, or that much told. The more knocks there were already, the
 * more the next one has to promise.
 */
#define LEAST_WORTH 0.02
#define PER_KNOCK   0.0015
/* How likely a trial shows a cause that is not the one. */
#define BY_ACCIDENT 0.005
/* What a wait in vain costs, in handshakes: where one was, more will be. */
#define WAIT_COST 1.0
/* A cause this likely is doubted no more; only its proof is still sought. */
#define SURE 0.93
/* All probes together; whoever waits at a terminal has waited long enough. */
#define PATIENCE_MS 17000
/* Where nothing answers, every question costs a wait, and teaches less. */
#define MUTE_PATIENCE_MS 8000
#define SLOW_MS		 900

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

static bool nonsense(const struct doctor_chart *chart, size_t i, char *out,
		     size_t size)
{
	return i == 0 && put(out, size, DOCTOR_NONSENSE_PATH);
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
	if (i == sizeof(harvested) / sizeof(harvested[0]))
		i = 0; /* the oldest makes room */
	else
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

static bool told_paths(const struct doctor_chart *chart, size_t i, char *out,
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
	       told_paths(chart, i, out, size) && i == 0;
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

static bool ports(const struct doctor_chart *chart, size_t i, char *out,
		  size_t size)
{
	const struct doctor_probe *get =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_values *v;

	if (get && get->status) /* there is an HTTP server at this one */
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

static bool versions_of_query(const struct doctor_chart *chart, size_t i,
			      char *out, size_t size)
{
	return nth(harvest(chart, doctor_harvest_versions), i, out, size);
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
	return family && put(out, size, family == 6 ? "4" : "6");
}

static bool old_tls(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	return i < 2 && put(out, size, i == 0 ? "1.1" : "1.0");
}

static bool hold_seconds(const struct doctor_chart *chart, size_t i, char *out,
			 size_t size)
{
	return i == 0 && !chart->c->hold_given && put(out, size, "4");
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

static bool polling(const struct doctor_chart *chart, size_t i, char *out,
		    size_t size)
{
	static const char *const tries[] = {"once", "again", "once more"};

	return i < 3 && doctor_is_engine(chart->c) &&
	       !doctor_found(chart, DOCTOR_F_SESSION_IN_QUERY) &&
	       (i == 0 || doctor_count(chart, DOCTOR_SESSION) >= i) &&
	       put(out, size, tries[i]);
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

/* The origin that is in question, or one that nobody has. */
static bool preflights(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size)
{
	const char *origin = chart->c->origin;

	return i == 0 && !doctor_key(chart) &&
	       doctor_count(chart, DOCTOR_ORIGIN) > 0 &&
	       put(out, size, origin ? origin : DOCTOR_NONSENSE_ORIGIN);
}

/* ---- the rows ---- */

struct power {
	enum why_cause cause;
	double w;
};

struct trial_row {
	enum doctor_change change;
	bool (*values)(const struct doctor_chart *chart, size_t i, char *out,
		       size_t size);
	int when;
	size_t most;
	double fade;
	struct power power[16]; /* ends with w == 0 */
};

#define W(symbol, weight) {WHY_##symbol, weight},

static const struct trial_row rows[] = {
#define TRIAL(change, values, when, most, fade, ...) \
	{DOCTOR_##change, values, when, most, fade, {__VA_ARGS__}},
#include "doctor/trials.def"
#undef TRIAL
};

static int state_of(const struct doctor_chart *chart,
		    const struct doctor_probe *base)
{
	switch (base->outcome) {
	case DOCTOR_OPEN:
		return OPENED;
	case DOCTOR_ANSWERED:
		return REFUSED;
	case DOCTOR_NO_ANSWER:
	case DOCTOR_NOT_HTTP:
		return MUTE;
	case DOCTOR_NO_CONNECTION:
		break;
	default:
		return AFTER;
	}
	if (doctor_is_proxy_tls(base)) /* nothing of the server's TLS was seen */
		return PROXY;
	for (size_t i = 0; i < chart->n_findings; i++) {
		enum doctor_finding_kind kind = chart->finding[i].kind;

		if (kind >= DOCTOR_F_PROXY_407 && kind <= DOCTOR_F_PROXY_BROKEN)
			return PROXY;
		if (kind >= DOCTOR_F_TLS_NOT_TLS && kind <= DOCTOR_F_TLS_OTHER)
			return TLS;
	}
	return UNCONNECTED;
}

/* A share of the uncertainty (Shannon's entropy, in nats). */
static double entropy(double p)
{
	return p > 0 ? -p * log(p) : 0;
}

/*
 * How much a trial is worth, as things stand: what it is expected to tell, plus
 * the chance that it settles the case. It may show one of the row's causes,
 * each in its own way, or nothing. What it tells is the mutual information
 * between that and the cause: how uncertain its outcome is, less how uncertain
 * it would be if the cause were known. Telling alone would never prove what is
 * all but sure; settling alone would not care what else is possible.
 */
static double worth(const struct trial_row *row, size_t i,
		    const struct doctor_opinion *o)
{
	double told = 0, settled = 0, nothing = 1, unnamed = 1;
	double fade = pow(row->fade, (double)i);
	int n = 0;

	while (row->power[n].w > 0)
		n++;
	for (const struct power *p = row->power; p->w > 0; p++) {
		double now = o->p[p->cause];
		double shows =
			fmax(BY_ACCIDENT, p->w * fade * (1 - n * BY_ACCIDENT));
		double in_all = now * shows + (1 - now) * BY_ACCIDENT;
		double others = (n - 1) * BY_ACCIDENT;

		told += entropy(in_all) -
			now * (entropy(shows) + (n - 1) * entropy(BY_ACCIDENT) +
			       entropy(1 - shows - others));
		settled += now * (shows - BY_ACCIDENT);
		nothing -= in_all;
		unnamed -= now;
	}
	told += entropy(nothing) - unnamed * (n * entropy(BY_ACCIDENT) +
					      entropy(1 - n * BY_ACCIDENT));
	return told + settled;
}

static double cost(const struct doctor_chart *chart, enum doctor_change change)
{
	static const double knocks[] = {
#define CHANGE(symbol, text, knocks) [DOCTOR_##symbol] = (knocks),
#include "doctor/changes.def"
#undef CHANGE
	};

	return knocks[change] + (doctor_fell_silent(chart) ? WAIT_COST : 0);
}

/* The row's first value that was not tried yet; *ret_i: how many were. */
static bool untried(const struct doctor_chart *chart,
		    const struct trial_row *row, struct doctor_trial *ret,
		    size_t *ret_i)
{
	struct doctor_trial t = {.change = row->change};
	size_t tried = 0;

	for (size_t i = 0; row->values(chart, i, t.value, sizeof(t.value)); i++) {
		if (doctor_tried(chart, t.change, t.value)) {
			tried++;
			continue;
		}
		if (tried >= row->most)
			return false;
		*ret = t;
		*ret_i = tried;
		return true;
	}
	return false;
}

static bool choose(const struct doctor_chart *chart,
		   const struct doctor_opinion *o, int state,
		   struct doctor_trial *ret_next)
{
	double least = LEAST_WORTH + PER_KNOCK * (double)chart->n_probes;
	double best = least;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct doctor_trial t;
		double w;
		size_t i;

		if (!(rows[r].when & state) || !untried(chart, &rows[r], &t, &i))
			continue;
		w = worth(&rows[r], i, o) / cost(chart, t.change);
		if (w > best) {
			best = w;
			*ret_next = t;
		}
	}
	return best > least;
}

/* Whether the site itself, or the refuser, named the value. */
static bool is_told(const struct doctor_chart *chart,
		    const struct doctor_trial *t)
{
	bool path = t->change == DOCTOR_PATH;
	char told[sizeof(t->value)];

	for (size_t i = 0;
	     path ? told_paths(chart, i, told, sizeof(told))
		  : told_subprotocols(chart, i, told, sizeof(told));
	     i++)
		if (strcmp(told, t->value) == 0)
			return true;
	return false;
}

/* Trials that look for another place, or for something that was never sent. */
static bool looks_elsewhere(const struct doctor_chart *chart,
			    const struct doctor_trial *t)
{
	switch (t->change) {
	case DOCTOR_H2:
	case DOCTOR_PORT:
	case DOCTOR_SILENCE:
		return true;
	case DOCTOR_SUBPROTOCOL:
		return !is_told(chart, t);
	case DOCTOR_HOST:
		return doctor_fell_silent(chart);
	case DOCTOR_PATH:
		return doctor_fell_silent(chart) && !is_told(chart, t) &&
		       strcmp(t->value, DOCTOR_NONSENSE_PATH) != 0;
	default:
		return false;
	}
}

/*
 * Without an answer, what was sent is asked about before what is elsewhere: a
 * rule that drops connections looks at the Origin, the query, the User-Agent.
 */
static void ask_of_request_first(const struct doctor_chart *chart,
				 struct doctor_trial *next)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	enum doctor_change own = c->origin ? DOCTOR_NO_ORIGIN : DOCTOR_ORIGIN;
	struct doctor_trial t = {.change = DOCTOR_NOTHING};

	if (base->outcome != DOCTOR_NO_ANSWER || !looks_elsewhere(chart, next))
		return;
	if (c->url.query.data && !doctor_tried(chart, DOCTOR_NO_QUERY, NULL))
		t.change = DOCTOR_NO_QUERY;
	else if (!doctor_tried(chart, own, NULL) &&
		 (c->origin || origins(chart, 0, t.value, sizeof(t.value))))
		t.change = own;
	else if (c->user_agent_given &&
		 !doctor_tried(chart, DOCTOR_USER_AGENT, NULL) &&
		 agents(chart, 0, t.value, sizeof(t.value)))
		t.change = DOCTOR_USER_AGENT;
	if (t.change != DOCTOR_NOTHING)
		*next = t;
}

static double time_spent(const struct doctor_chart *chart)
{
	double sum = 0;

	for (size_t i = 0; i < chart->n_probes; i++)
		sum += chart->probe[i]->ms + chart->probe[i]->open_ms;
	return sum;
}

bool doctor_plan(const struct doctor_chart *chart,
		 const struct doctor_opinion *opinion,
		 struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool sure;

	n_harvested = 0;
	if (chart->c->url_error || chart->stopped ||
	    chart->n_probes >= chart->c->max_probes ||
	    chart->n_probes >= DOCTOR_MAX_PROBES)
		return false;
	if (!base) {
		*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
		return true;
	}
	if (time_spent(chart) > (doctor_fell_silent(chart) || base->ms > SLOW_MS
					 ? MUTE_PATIENCE_MS
					 : PATIENCE_MS))
		return false;
	if (doctor_doubt(chart, ret_next))
		return true;
	if (doctor_found(chart, DOCTOR_F_SPLIT) && !doctor_key(chart))
		return false; /* nothing can be told from a pair any more */
	sure = opinion->p[opinion->best] >= SURE;
	if (sure && doctor_key(chart))
		return false;
	if (choose(chart, opinion, state_of(chart, base), ret_next)) {
		ask_of_request_first(chart, ret_next);
		return true;
	}
	return doctor_doubt_error(chart, ret_next);
}
