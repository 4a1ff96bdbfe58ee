/* SPDX-License-Identifier: MIT */
/*
 * Configurations of the servers in between. src/lint finds the mistakes; here
 * files are read for it, and what it is sure of for this very request becomes
 * a finding with the place in the file.
 */
#include "doctor/config.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "doctor/files.h"
#include "doctor/finding_inner.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- files ---- */

static int complain(const char *option_file, const struct lint_error *error)
{
	char file[300], text[400];

	bytes_printable(bytes_of_str(*error->file ? error->file : option_file),
			file, sizeof(file));
	bytes_printable(bytes_of_str(error->text), text, sizeof(text));
	if (error->line)
		fprintf(stderr, "sesame doctor: --config: %s:%u: %s\n", file,
			error->line, text);
	else
		fprintf(stderr, "sesame doctor: --config: %s: %s\n", file, text);
	return 2;
}

int doctor_config_read(const struct doctor_case *c, struct doctor_config **ret)
{
	char host[256] = "", path[2048] = "/";
	struct lint_request request = {
		.tls = c->url.tls,
		.host = host,
		.port = c->url.port,
		.path = path,
		.origin = c->origin,
		.user_agent = c->user_agent,
	};
	struct doctor_config *config;
	struct lint_error error = {.line = 0};
	int status = 0;

	*ret = NULL;
	if (c->n_configs == 0 || c->url_error)
		return 0;
	config = calloc(1, sizeof(*config));
	if (!config)
		return 2;
	if (c->host && *c->host)
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(c->host, ":"),
			 c->host);
	else
		snprintf(host, sizeof(host), "%.*s", BYTES_ARG(c->url.host));
	if (c->url.path.len)
		snprintf(path, sizeof(path), "%.*s", BYTES_ARG(c->url.path));
	for (size_t i = 0; i < c->n_configs && status == 0; i++) {
		struct lint_files files = doctor_files(c->config[i], false);
		int r = lint_file(&files, c->config[i], LINT_UNKNOWN, &request,
				  &config->report[config->n], &error);

		if (r == 0)
			config->n++;
		else if (r == SESAME_ENOMEM)
			status = 2;
		else
			status = complain(c->config[i], &error);
	}
	if (status) {
		doctor_config_free(config);
		return status;
	}
	*ret = config;
	return 0;
}

void doctor_config_free(struct doctor_config *config)
{
	for (size_t i = 0; config && i < config->n; i++)
		lint_report_fini(&config->report[i]);
	free(config);
}

/* ---- findings ---- */

enum doctor_finding_kind doctor_config_kind(enum why_cause cause)
{
	static const struct {
		enum why_cause cause;
		enum doctor_finding_kind kind;
	} rows[] = {
		{WHY_SERVER_PROXY_UPGRADE, DOCTOR_F_CONFIG_UPGRADE},
		{WHY_SERVER_PROXY_HOST, DOCTOR_F_CONFIG_HOST_LOST},
		{WHY_SERVER_PROXY_PROTO, DOCTOR_F_CONFIG_SCHEME_LOST},
		{WHY_NET_IDLE_TIMEOUT, DOCTOR_F_CONFIG_TIMEOUT},
		{WHY_ACCESS_ORIGIN, DOCTOR_F_CONFIG_ORIGIN},
		{WHY_ACCESS_ORIGIN_MISSING, DOCTOR_F_CONFIG_ORIGIN},
		{WHY_ACCESS_USER_AGENT, DOCTOR_F_CONFIG_AGENT},
		{WHY_ACCESS_IP, DOCTOR_F_CONFIG_ADDRESS},
		{WHY_ACCESS_CREDENTIALS, DOCTOR_F_CONFIG_CREDENTIALS},
		{WHY_ACCESS_PERMISSION, DOCTOR_F_CONFIG_REFUSED},
		{WHY_ACCESS_CLIENT_CERT, DOCTOR_F_CONFIG_CERTIFICATE},
		{WHY_ACCESS_HOST, DOCTOR_F_CONFIG_HOST},
		{WHY_URL_HOST, DOCTOR_F_CONFIG_SITE},
		{WHY_SERVER_NO_WEBSOCKET, DOCTOR_F_CONFIG_NO_WEBSOCKET},
		{WHY_SERVER_STICKY_SESSION, DOCTOR_F_CONFIG_STICKY},
		{WHY_SERVER_LIMIT, DOCTOR_F_CONFIG_LIMIT},
		{WHY_ACCESS_RATE, DOCTOR_F_CONFIG_RATE},
		{WHY_SERVER_REDIRECT, DOCTOR_F_CONFIG_REDIRECT},
		{WHY_URL_PATH, DOCTOR_F_CONFIG_PATH},
		{WHY_SERVER_HTTP2, DOCTOR_F_CONFIG_HTTP2},
		{WHY_CLIENT_HEADERS_TOO_LARGE, DOCTOR_F_CONFIG_HEAD_LIMIT},
	};

	for (size_t i = 0; i < LEN(rows); i++)
		if (rows[i].cause == cause)
			return rows[i].kind;
	return DOCTOR_F_NONE;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void doctor_find_config(struct doctor_chart *chart)
{
	const struct doctor_config *config = chart->config;

	for (size_t i = 0; config && i < config->n; i++)
		for (size_t k = 0; k < config->report[i].n_findings; k++) {
			const struct lint_finding *f =
				&config->report[i].finding[k];
			enum doctor_finding_kind kind =
				doctor_config_kind(lint_rule_cause(f->rule));

			if (!f->sure || kind == DOCTOR_F_NONE)
				continue;
			doctor_note(chart, kind, NULL, NULL, "%s:%u%s%s: %s",
				    base_name(f->file), f->line,
				    *f->where ? " " : "", f->where, f->text);
		}
}

/* ---- fixes ---- */

void doctor_config_prescribe(const struct doctor_chart *chart,
			     struct doctor_verdict *verdict)
{
	const struct doctor_config *config = chart->config;
	struct doctor_verdict *v = verdict;

	for (size_t i = 0; config && i < config->n; i++)
		for (size_t k = 0; k < config->report[i].n_findings; k++) {
			const struct lint_finding *f =
				&config->report[i].finding[k];
			struct doctor_fix *fix = &v->fix[v->n_fixes];
			char place[64];

			if (v->n_fixes == DOCTOR_MAX_FIXES || !f->sure ||
			    lint_rule_cause(f->rule) != v->cause)
				continue;
			*fix = (struct doctor_fix){
				.who = "proxy",
				.stack = lint_language_name(
					config->report[i].language),
			};
			lint_fix_place(f, place, sizeof(place));
			snprintf(fix->what, sizeof(fix->what), "%s.%s%s%s",
				 f->text, *place ? " What goes " : "", place,
				 *place ? ":" : "");
			snprintf(fix->where, sizeof(fix->where), "%s:%u",
				 f->file, f->line);
			snprintf(fix->snippet, sizeof(fix->snippet), "%s",
				 f->fix);
			v->n_fixes++;
		}
}
