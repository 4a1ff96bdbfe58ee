/* SPDX-License-Identifier: MIT */
/*
 * Findings: what the probes, taken together, show. Each kind is a row of
 * findings.def; the weights that it has for and against causes are rows of
 * evidence.def. Extraction is pure: it looks at the case and its probes.
 *
 * Here are the chart and the questions that all may ask of it, by the file that
 * answers them; finding_inner.h is between those that make the findings.
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

/* ---- finding.c ---- */

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
/* The first probe with this change (and value, unless NULL), or NULL. */
const struct doctor_probe *doctor_tried(const struct doctor_chart *chart,
					enum doctor_change change,
					const char *value);
/* How often @trial was performed again after its first time. */
int doctor_repeats(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* Whether some probe waited in vain until its time was over. */
bool doctor_fell_silent(const struct doctor_chart *chart);

/* ---- experiment.c ---- */

/* So often the same is asked where the answers differ. */
#define DOCTOR_TIMES 5

/* How often the same thing was asked, and how often it was let in. */
struct doctor_score {
	int n, opened;
	int used_up; /* refused as one too many */
};

struct doctor_score doctor_score(const struct doctor_chart *chart,
				 const struct doctor_trial *trial);
/* Whether the same was let in at one time and not at another. */
bool doctor_wavers(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* Whether what a trial opened shows more than luck. */
bool doctor_stands(const struct doctor_chart *chart,
		   const struct doctor_trial *trial);
/* Whether @p waited in vain after a head that a small packet has no room for. */
bool doctor_fills_packet(const struct doctor_probe *p);
/* Whether anything at all got an HTTP answer at the user's own port. */
bool doctor_speaks_http(const struct doctor_chart *chart);
/* Whether a TLS hello to a plain port was answered in HTTP. */
bool doctor_answers_tls_in_http(const struct doctor_chart *chart);

/* ---- symptom.c ---- */

/* Whether it was the certificate of the proxy itself that failed. */
bool doctor_is_proxy_tls(const struct doctor_probe *p);
/* Whether the forward proxy could not even be reached. */
bool doctor_proxy_is_missing(const struct doctor_chart *chart);

/* ---- telltale.c ---- */

/* Whether the answer of @p has a telltale of this kind. */
bool doctor_says(const struct doctor_probe *p, enum doctor_finding_kind kind);
/* Whether the answer of @p says @word in a sentence of its own; *ret: where. */
bool doctor_says_word(const struct doctor_probe *p, const char *word,
		      struct bytes *ret);
/* Whether a 426 is an application's word to a client that is too old. */
bool doctor_wants_newer_client(const struct doctor_probe *p);
/* What @p wants an upgrade to, where its Upgrade field names something else than
 * websocket: "TLS", "HTTP/2", or "" for any other. NULL: it does not. */
const char *doctor_wants_other_upgrade(const struct doctor_probe *p);

/* ---- writer.c ---- */

/* Whether @p was written by @stack. */
bool doctor_wrote(const struct doctor_probe *p, enum why_stack stack);
/* Whether @stack is among those that the answer of @p came by. */
bool doctor_passed_by(const struct doctor_probe *p, enum why_stack stack);

/* ---- pair_fields.c ---- */

/* Whether firewalls take @text for an attack; @query: for one in a query,
 * where less is usual. */
bool doctor_is_attack(struct bytes text, bool query);

#endif
