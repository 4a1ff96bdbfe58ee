/* SPDX-License-Identifier: MIT */
/*
 * Findings: what the probes, taken together, show. Each kind is a row of
 * findings.def; the weights that it has for and against causes are rows of
 * evidence.def. Extraction is pure: it looks at the case and its probes.
 */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

#include "doctor/probe.h"
#include "why/cause.h"

enum doctor_finding_kind {
#define FINDING(symbol, ...) DOCTOR_F_##symbol,
#include "doctor/findings.def"
#undef FINDING
	DOCTOR_N_FINDINGS
};

struct doctor_finding {
	enum doctor_finding_kind kind;
	int probe;	/* its number; the baseline is 1; 0: none (the URL) */
	int versus;	/* the probe it is compared with, or 0 */
	int cause;	/* that it names (TELLS_CAUSE), or 0 */
	char text[256]; /* what was seen, printable, redacted, one sentence */
};

#define DOCTOR_MAX_FINDINGS 64
#define DOCTOR_MAX_PROBES   40

struct doctor_config;

/* All that is known of a case while it is examined. */
struct doctor_chart {
	const struct doctor_case *c;
	struct doctor_probe *probe[DOCTOR_MAX_PROBES];
	size_t n_probes;
	struct doctor_finding finding[DOCTOR_MAX_FINDINGS];
	size_t n_findings;
	bool blind; /* fingerprints of stacks are not to be used */
	const struct doctor_config *config; /* that was given, or NULL */
	const char *stopped; /* why probing ended early (429, ...), or NULL */
	struct doctor_comparison *comparison; /* with --works, or NULL */
};

/* Look at everything again: chart->finding[] is made anew from the probes. */
void doctor_find(struct doctor_chart *chart);

/* The finding of this kind, or NULL. */
const struct doctor_finding *doctor_found(const struct doctor_chart *chart,
					  enum doctor_finding_kind kind);
/*
 * The user's own request: the first probe that changes nothing, or NULL. When
 * that opened and the same was refused later, the first that was refused.
 */
const struct doctor_probe *doctor_baseline(const struct doctor_chart *chart);
/*
 * The key: the first probe that differs from the user's request in one thing
 * and opens (or at least comes further than) what the user's did not; for an
 * open connection the probe whose longer watch shows its end. NULL: none.
 */
const struct doctor_probe *doctor_key(const struct doctor_chart *chart);
/* Whether some probe waited in vain until its time was over. */
bool doctor_fell_silent(const struct doctor_chart *chart);
/* How often @trial was performed again after its first time. */
int doctor_repeats(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* The first probe with this change (and value, unless NULL), or NULL. */
const struct doctor_probe *doctor_tried(const struct doctor_chart *chart,
					enum doctor_change change,
					const char *value);

/* How often the same thing was asked, and how often it was let in. */
struct doctor_score {
	int n, opened;
	int used_up; /* refused as one too many */
};

/* So often the same is asked where the answers differ. */
#define DOCTOR_TIMES 5

struct doctor_score doctor_score(const struct doctor_chart *chart,
				 const struct doctor_trial *trial);
/* Whether the same was let in at one time and not at another. */
bool doctor_wavers(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* Whether what a trial opened shows more than luck. */
bool doctor_stands(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* Whether firewalls take @text for an attack; @query: for one in a query,
 * where less is usual. */
bool doctor_is_attack(struct bytes text, bool query);
/* Whether it was the certificate of the proxy itself that failed. */
bool doctor_is_proxy_tls(const struct doctor_probe *p);
/* Whether the forward proxy could not even be reached. */
bool doctor_proxy_is_missing(const struct doctor_chart *chart);
/* Whether @p waited in vain after a head that a small packet has no room for. */
bool doctor_fills_packet(const struct doctor_probe *p);
/* Whether anything at all got an HTTP answer at the user's own port. */
bool doctor_speaks_http(const struct doctor_chart *chart);
/* Whether the URL looks like one of engine.io (Socket.IO). */
bool doctor_is_engine(const struct doctor_case *c);
/* Whether the URL continues a session that engine.io opened before (sid=). */
bool doctor_continues_session(const struct doctor_case *c);
/* Whether a query begins with the name of such a session. It is no credential:
 * whoever asks for a new one gets it. */
static inline bool doctor_is_session_pair(struct bytes pair)
{
	return bytes_starts(pair, BYTES("sid="));
}
/* The URL of the page that was given. False: none, or no http(s). */
bool doctor_page_url(const struct doctor_case *c, struct ses_url *ret);
/* The Host for the backend: the one of the user's request, or its own. */
bool doctor_backend_host(const struct doctor_case *c, bool as_public, char *out,
			 size_t size);

/* ---- between finding.c and its parts ---- */

/* Add a finding, told by a format; redacted by the caller where needed. */
void doctor_note(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p, const struct doctor_probe *versus,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* context.c: what the user's own request holds. */
void doctor_find_context(struct doctor_chart *chart,
			 const struct doctor_probe *base);
/* sessions.c: what engine.io and SockJS tell over their other transports. */
void doctor_find_sessions(struct doctor_chart *chart);
/* symptom.c: how the user's own request ended; exactly one finding. */
void doctor_find_symptom(struct doctor_chart *chart,
			 const struct doctor_probe *base);
/* answer.c: what the answer is, by its form, its words and its writer. */
void doctor_find_answer(struct doctor_chart *chart,
			const struct doctor_probe *p);
/* answer.c: where a redirect leads. */
void doctor_find_redirect(struct doctor_chart *chart,
			  const struct doctor_probe *p);
/* writer.c: who wrote the answer, and who passed it on. */
void doctor_find_writer(struct doctor_chart *chart,
			const struct doctor_probe *p);
/* writer.c: whether nothing in any answer is a proxy's. */
void doctor_find_no_proxy(struct doctor_chart *chart,
			  const struct doctor_probe *base);
/* telltale.c: what an answer says in so many words. */
void doctor_find_words(struct doctor_chart *chart,
		       const struct doctor_probe *p);
/* config.c: what the configurations that were given say. */
void doctor_find_config(struct doctor_chart *chart);
/* experiment.c: whether bodies vary when the same is asked again. */
void doctor_mark_chance(struct doctor_chart *chart);
/* experiment.c: what those show that are no pair of handshakes. */
void doctor_find_experiments(struct doctor_chart *chart);
/* pair.c: what each experiment shows, compared with the user's own request. */
void doctor_find_pairs(struct doctor_chart *chart);
/* Whether @p was written to the bare socket, as who listens for upgrades does
 * it: a status, and no field that a server of HTTP adds. */
bool doctor_is_hand_written(const struct doctor_probe *p);
/* habits.c: what particular software means by an answer without words. */
void doctor_find_habits(struct doctor_chart *chart);
/* compare.c: which difference to the request that works matters. */
void doctor_find_comparison(struct doctor_chart *chart);
/* The probe that the comparison came down to, or NULL. */
const struct doctor_probe *
doctor_compared(const struct doctor_chart *chart);
/* Whether the reason of a close is that nothing was said for too long. */
bool doctor_is_closed_as_idle(const struct doctor_probe *p);
/* Whether @p was written by @stack. */
bool doctor_wrote(const struct doctor_probe *p, enum why_stack stack);
/* Whether @stack is among those that the answer of @p came by. */
bool doctor_passed_by(const struct doctor_probe *p, enum why_stack stack);
/* Whether a 426 is an application's word to a client that is too old. */
bool doctor_wants_newer_client(const struct doctor_probe *p);
/* Whether the answer of @p says @word in a sentence of its own; *ret: where. */
bool doctor_says_word(const struct doctor_probe *p, const char *word,
		      struct bytes *ret);
/* Whether the answer of @p has a telltale of this kind. */
bool doctor_says(const struct doctor_probe *p, enum doctor_finding_kind kind);

#endif
