/* SPDX-License-Identifier: MIT */
/*
 * Pages and refusals as anybody may write them: what is harvested of them
 * leads to the user's own host (scripts of a page elsewhere: to that page's),
 * breaks out of no line, and policies are read without reading past them.
 */
#include "../doctor/bedside.h"
#include "doctor/csp.h"
#include "doctor/harvest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef void harvest_fn(const struct doctor_chart *chart,
			struct doctor_values *v);

static bool is_own_path(const char *value)
{
	return value[0] == '/' && value[1] != '/' && value[1] != '\\';
}

static bool is_port(const char *value)
{
	return strspn(value, "0123456789") == strlen(value) && strlen(value) < 6;
}

static bool is_host(const char *value)
{
	return !strpbrk(value, "/?#@ ");
}

static bool is_of_page(const char *value)
{
	return strncmp(value, "https://app.example/", 20) == 0;
}

static bool is_any(const char *value)
{
	return true;
}

static const struct {
	harvest_fn *harvest;
	bool (*fits)(const char *value);
} rows[] = {
	{doctor_harvest_origins, is_any},
	{doctor_harvest_hosts, is_host},
	{doctor_harvest_paths, is_own_path},
	{doctor_harvest_subprotocols, is_any},
	{doctor_harvest_ports, is_port},
	{doctor_harvest_side, is_own_path},
	{doctor_harvest_scripts, is_own_path},
	{doctor_harvest_page_scripts, is_of_page},
	{doctor_harvest_named_ports, is_port},
};

static void harvest(const struct doctor_chart *chart)
{
	static struct doctor_values v;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v.n = v.n_told = 0;
		rows[i].harvest(chart, &v);
		for (size_t k = 0; k < v.n; k++)
			if (!rows[i].fits(v.value[k]) ||
			    !ses_is_field_value(bytes_of_str(v.value[k])))
				abort();
	}
}

static void read_policies(const struct doctor_probe *p,
			  const struct ses_url *url)
{
	char out[120];
	size_t n = 0;

	memset(out, 'x', sizeof(out));
	out[sizeof(out) - 1] = 0;
	doctor_csp_sandboxed(p);
	doctor_csp_forbids(p, url, out, sizeof(out));
	doctor_csp_page_forbids(p, url, url, out, sizeof(out));
	doctor_csp_has(p, "upgrade-insecure-requests", out, sizeof(out));
	for (; out[n]; n++)
		if ((uint8_t)out[n] < ' ')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct patient patient = {
		.url = "ws://127.0.0.1:8080/chat",
		.page = "https://app.example/x/y",
	};
	static const struct doctor_trial trials[] = {
		{.change = DOCTOR_NOTHING},
		{.change = DOCTOR_PLAIN_GET_PATH, .value = "/a/b"},
		{.change = DOCTOR_PAGE, .value = "https://app.example/x/y"},
	};
	static struct bed b;
	struct doctor_chart *chart = &b.chart;
	struct bytes text = bytes_of(data, len);
	char name[32];

	bed_make(&b, &patient);
	for (size_t i = 0; i < 3; i++) {
		struct doctor_probe *p = lie(&trials[i], (int)i + 1, "@closed");

		lie_answered(p, text);
		chart->probe[chart->n_probes++] = p;
		read_policies(p, &b.c.url);
	}
	harvest(chart);
	doctor_opens_sockets(text);
	doctor_names_query(text, name, sizeof(name));
	bed_strip(&b);
	return 0;
}
