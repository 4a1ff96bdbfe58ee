/* SPDX-License-Identifier: MIT */
/*
 * Reading the configuration: which setting is read by whom and put where. The
 * parts of the file have a source file each, config_*.c.
 */
#include <stdlib.h>
#include <string.h>

#include "gate/credential.h"
#include "gate/index.h"
#include "gate/reading.h"
#include "net/addr.h"

#define DEFAULT_ROWS 20000
#define SPREAD_MS    2000
#define DEADLINE_MS  10000

static const struct gate_setting_row rows[GATE_N_SETTINGS] = {
#define SETTING(symbol, path, kind, unit, least, most, preset, text) \
	{path, GATE_##kind, unit, least, most, preset, text},
#include "gate/settings.def"
#undef SETTING
};

const struct gate_setting_row *gate_setting(enum gate_setting setting)
{
	return &rows[setting];
}

static void read_trusted(struct gate_reader *r, const struct gate_item *i,
			 void *to)
{
	struct gate_policy *p = to;
	struct gate_item element;
	void *state = NULL;
	struct bytes s;
	const char *wrong;

	if (!gate_want(r, i, gate_is_list(i), "a list") ||
	    !gate_fits(r, i, gate_count(i)))
		return;
	p->trusted = gate_enough(r, calloc(gate_count(i), sizeof(*p->trusted)));
	while (p->trusted && gate_next_element(i, &state, &element)) {
		if (!gate_want_text(r, &element, &s))
			continue;
		wrong = gate_network_read(s, &p->trusted[p->n_trusted]);
		if (wrong)
			gate_complain(r->wrong, element.at,
				      "trusted_proxies: `%s` %s",
				      gate_show(s).text, wrong);
		else
			p->n_trusted++;
	}
}

#define LISTEN(field)	offsetof(struct gate_listen, field)
#define IDENTITY(field) offsetof(struct gate_identity, field)
#define ROUTE(field)	offsetof(struct gate_route, field)
#define HUB(field)	offsetof(struct gate_hub_settings, field)
#define UPSTREAM(field) offsetof(struct gate_upstream_tls, field)
#define HEALTH(field)	offsetof(struct gate_health_settings, field)
#define POLICY(field)	offsetof(struct gate_policy, field)
#define ADMIN(field)	offsetof(struct gate_admin_settings, field)
#define STOP(field)	offsetof(struct gate_stop, field)
#define LIMITS(field)	offsetof(struct gate_limits, field)
#define TEST(field)	offsetof(struct gate_expectation, field)
#define ALLOW(list)	((list) * sizeof(struct gate_rules))
/* What stands behind the lists in a route, as seen from them. */
#define IN_ALLOW(field)	 (ROUTE(field) - ROUTE(allow))
#define AUTHORITY(field) offsetof(struct gate_authority, field)
#define TOKEN(field)	 offsetof(struct gate_token_settings, field)
#define JWT(field)	 offsetof(struct gate_jwt_settings, field)

const struct gate_reading gate_readings[GATE_N_SETTINGS] = {
	[GATE_SET_WORKERS] = {gate_read_number, POLICY(workers)},
	[GATE_SET_LISTEN] = {gate_read_listen, 0},
	[GATE_SET_LISTEN_ADDRESS] = {gate_read_listen_address, 0},
	[GATE_SET_LISTEN_PROXY] = {gate_read_flag, LISTEN(proxy_protocol)},
	[GATE_SET_LISTEN_TLS] = {gate_read_listen_tls, 0},
	[GATE_SET_LISTEN_CERTIFICATE] = {gate_read_file_name,
					 LISTEN(first.certificate)},
	[GATE_SET_LISTEN_KEY] = {gate_read_file_name, LISTEN(first.key)},
	[GATE_SET_LISTEN_CERTIFICATES] = {gate_read_listen_identities, 0},
	[GATE_SET_IDENTITY_CERTIFICATE] = {gate_read_file_name,
					   IDENTITY(certificate)},
	[GATE_SET_IDENTITY_KEY] = {gate_read_file_name, IDENTITY(key)},
	[GATE_SET_LISTEN_MIN_VERSION] = {gate_read_choice, LISTEN(min_version)},
	[GATE_SET_LISTEN_CLIENT_CA] = {gate_read_file_name, LISTEN(client_ca)},
	[GATE_SET_LISTEN_CLIENT_CERT] = {gate_read_choice, LISTEN(client_cert)},
	[GATE_SET_TRUSTED_PROXIES] = {read_trusted, 0},
	[GATE_SET_TRUSTED_FIELD] = {gate_read_choice, POLICY(trusted_field)},
	[GATE_SET_ROUTES] = {gate_read_routes, 0},
	[GATE_SET_ROUTE_PATH] = {gate_read_route_path, 0},
	[GATE_SET_ROUTE_TO] = {gate_read_route_to, 0},
	[GATE_SET_ROUTE_BALANCE] = {gate_read_choice, ROUTE(balance)},
	[GATE_SET_ROUTE_CONNECT] = {gate_read_number, ROUTE(connect_ms)},
	[GATE_SET_ROUTE_ANSWER] = {gate_read_number, ROUTE(answer_ms)},
	[GATE_SET_ROUTE_RETRIES] = {gate_read_number, ROUTE(retries)},
	[GATE_SET_ROUTE_PROXY] = {gate_read_choice, ROUTE(proxy_version)},
	[GATE_SET_ROUTE_HOST] = {gate_read_route_host, ROUTE(host)},
	[GATE_SET_ROUTE_ORIGIN] = {gate_read_route_origin, ROUTE(origin)},
	[GATE_SET_ROUTE_HEADERS] = {gate_read_route_headers, 0},
	[GATE_SET_UPSTREAM_TLS] = {gate_read_plain_map, ROUTE(upstream_tls)},
	[GATE_SET_UPSTREAM_CA] = {gate_read_file_name, UPSTREAM(ca)},
	[GATE_SET_UPSTREAM_NAME] = {gate_read_text, UPSTREAM(name)},
	[GATE_SET_UPSTREAM_VERIFY] = {gate_read_verify, UPSTREAM(unverified)},
	[GATE_SET_UPSTREAM_CERTIFICATE] = {gate_read_file_name,
					   UPSTREAM(certificate)},
	[GATE_SET_UPSTREAM_KEY] = {gate_read_file_name, UPSTREAM(key)},
	[GATE_SET_ROUTE_HEALTH] = {gate_read_health, ROUTE(health)},
	[GATE_SET_HEALTH_PATH] = {gate_read_health_path, HEALTH(path)},
	[GATE_SET_HEALTH_EVERY] = {gate_read_number, HEALTH(every_ms)},
	[GATE_SET_HEALTH_FAILS] = {gate_read_number, HEALTH(fails)},
	[GATE_SET_HEALTH_REST] = {gate_read_number, HEALTH(rest_ms)},
	[GATE_SET_ROUTE_HUB] = {gate_read_plain_map, ROUTE(hub)},
	[GATE_SET_HUB_KIND] = {gate_read_choice, HUB(kind)},
	[GATE_SET_HUB_KEY] = {gate_read_text, HUB(key)},
	[GATE_SET_HUB_KEYS] = {gate_read_number, HUB(keys)},
	[GATE_SET_HUB_HISTORY] = {gate_read_history, 0},
	[GATE_SET_HISTORY_MESSAGES] = {gate_read_number, HUB(history_messages)},
	[GATE_SET_HISTORY_AGE] = {gate_read_number, HUB(history_ms)},
	[GATE_SET_HISTORY_BYTES] = {gate_read_number, HUB(history_bytes)},
	[GATE_SET_HUB_KEPT] = {gate_read_number, HUB(kept)},
	[GATE_SET_HUB_PRESENCE] = {gate_read_flag, HUB(presence)},
	[GATE_SET_HUB_RATES] = {gate_read_plain_map, 0},
	[GATE_SET_RATES_MEMBER] = {gate_read_rate_limit, HUB(rate_member)},
	[GATE_SET_RATES_CHANNEL] = {gate_read_rate_limit, HUB(rate_channel)},
	[GATE_SET_HUB_MAY] = {gate_read_plain_map, 0},
	[GATE_SET_MAY_PUBLISH] = {gate_read_may, HUB(may_publish)},
	[GATE_SET_MAY_PRESENCE] = {gate_read_may, HUB(may_presence)},
	[GATE_SET_HUB_CHANNELS] = {gate_read_number, HUB(channels)},
	[GATE_SET_HUB_MEMBERS] = {gate_read_number, HUB(members)},
	[GATE_SET_HUB_QUEUE] = {gate_read_number, HUB(queue)},
	[GATE_SET_HUB_SLOW] = {gate_read_choice, HUB(slow)},
	[GATE_SET_HUB_ECHO] = {gate_read_flag, HUB(echo)},
	[GATE_SET_HUB_PUBLISH] = {gate_read_publish, HUB(publish)},
	[GATE_SET_PUBLISH_HASHES] = {gate_read_token_file, TOKEN(hashes_file)},
	[GATE_SET_HUB_READ] = {gate_read_publish, HUB(read)},
	[GATE_SET_READ_HASHES] = {gate_read_token_file, TOKEN(hashes_file)},
	[GATE_SET_ROUTE_ROOT] = {gate_read_file_name, ROUTE(root)},
	[GATE_SET_ROUTE_MODE] = {gate_read_route_mode, ROUTE(observe)},
	[GATE_SET_ROUTE_ALLOW] = {gate_read_plain_map, ROUTE(allow)},
	[GATE_SET_ALLOW_HOSTS] = {gate_read_rules, ALLOW(GATE_HOSTS)},
	[GATE_SET_ALLOW_ADDRESSES] = {gate_read_rules, ALLOW(GATE_ADDRESSES)},
	[GATE_SET_ALLOW_ORIGINS] = {gate_read_rules, ALLOW(GATE_ORIGINS)},
	[GATE_SET_ALLOW_USER_AGENTS] = {gate_read_rules, ALLOW(GATE_USER_AGENTS)},
	[GATE_SET_ALLOW_SUBPROTOCOLS] = {gate_read_subprotocols,
					 IN_ALLOW(subprotocols)},
	[GATE_SET_ALLOW_CERTIFICATES] = {gate_read_certificates,
					 IN_ALLOW(certificates)},
	[GATE_SET_ALLOW_AUTHORITY] = {gate_read_authority, IN_ALLOW(authority)},
	[GATE_SET_AUTHORITY_URL] = {gate_read_authority_url, 0},
	[GATE_SET_AUTHORITY_TIMEOUT] = {gate_read_number, AUTHORITY(timeout_ms)},
	[GATE_SET_AUTHORITY_HEADERS] = {gate_read_authority_names, 0},
	[GATE_SET_AUTHORITY_COPY] = {gate_read_authority_names, 0},
	[GATE_SET_AUTHORITY_FAILURE] = {gate_read_choice, AUTHORITY(on_failure)},
	[GATE_SET_ALLOW_TOKEN] = {gate_read_token, IN_ALLOW(token)},
	[GATE_SET_TOKEN_FROM] = {gate_read_token_from, 0},
	[GATE_SET_TOKEN_STRIP] = {gate_read_flag, TOKEN(strip)},
	[GATE_SET_TOKEN_HASHES] = {gate_read_token_file, TOKEN(hashes_file)},
	[GATE_SET_TOKEN_HTPASSWD] = {gate_read_token_file, TOKEN(htpasswd_file)},
	[GATE_SET_TOKEN_JWT] = {gate_read_jwt, TOKEN(jwt)},
	[GATE_SET_JWT_KEY] = {gate_read_token_file, JWT(key_file)},
	[GATE_SET_JWT_SECRET] = {gate_read_token_file, JWT(secret_file)},
	[GATE_SET_JWT_JWKS] = {gate_read_token_file, JWT(jwks_file)},
	[GATE_SET_JWT_ALGORITHMS] = {gate_read_jwt_algorithms, JWT(algorithms)},
	[GATE_SET_JWT_ISSUER] = {gate_read_words, JWT(issuer)},
	[GATE_SET_JWT_AUDIENCE] = {gate_read_words, JWT(audience)},
	[GATE_SET_JWT_LEEWAY] = {gate_read_number, JWT(leeway_ms)},
	[GATE_SET_JWT_EXPIRY] = {gate_read_choice, JWT(expiry)},
	[GATE_SET_JWT_CLAIMS] = {gate_read_jwt_claims, 0},
	[GATE_SET_JWT_PATHS] = {gate_read_word, JWT(paths_claim)},
	[GATE_SET_ROUTE_LIMITS] = {gate_read_plain_map, ROUTE(limits)},
	[GATE_SET_LIMIT_MESSAGE] = {gate_read_message_limit, 0},
	[GATE_SET_LIMIT_MESSAGES] = {gate_read_rate_limit, LIMITS(messages)},
	[GATE_SET_LIMIT_IDLE] = {gate_read_number, LIMITS(idle_ms)},
	[GATE_SET_LIMIT_HANDSHAKES] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_CONNECTIONS] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_TOKEN_HANDSHAKES] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_TOKEN_CONNECTIONS] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_ROUTE_HANDSHAKES] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_ROUTE_CONNECTIONS] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_PUBLISHES] = {gate_read_limit, 0},
	[GATE_SET_LIMIT_FAILURES] = {gate_read_limit, 0},
	[GATE_SET_REFUSAL] = {gate_read_plain_map, 0},
	[GATE_SET_REFUSAL_DISCLOSE] = {gate_read_choice, POLICY(disclose)},
	[GATE_SET_REFUSAL_CLOSE] = {gate_read_flag, POLICY(refusal_close)},
	[GATE_SET_REFUSAL_EXPLAIN] = {gate_read_explain, POLICY(explain)},
	[GATE_SET_JOURNAL] = {gate_read_plain_map, 0},
	[GATE_SET_JOURNAL_FILE] = {gate_read_journal_file, POLICY(journal)},
	[GATE_SET_JOURNAL_ROWS] = {gate_read_number, POLICY(journal_rows)},
	[GATE_SET_JOURNAL_SIZE] = {gate_read_number, POLICY(journal_bytes)},
	[GATE_SET_TESTS] = {gate_read_tests, 0},
	[GATE_SET_TEST_URL] = {gate_read_text, TEST(url)},
	[GATE_SET_TEST_ORIGIN] = {gate_read_text, TEST(origin)},
	[GATE_SET_TEST_FROM] = {gate_read_text, TEST(from)},
	[GATE_SET_TEST_USER_AGENT] = {gate_read_text, TEST(user_agent)},
	[GATE_SET_TEST_HOST] = {gate_read_text, TEST(host)},
	[GATE_SET_TEST_SUBPROTOCOL] = {gate_read_text, TEST(subprotocol)},
	[GATE_SET_TEST_HEADERS] = {gate_read_test_headers, 0},
	[GATE_SET_TEST_TOKEN] = {gate_read_text, TEST(token)},
	[GATE_SET_TEST_BASIC] = {gate_read_text, TEST(basic)},
	[GATE_SET_TEST_COOKIE] = {gate_read_text, TEST(cookie)},
	[GATE_SET_TEST_CERTIFICATE] = {gate_read_test_certificate, 0},
	[GATE_SET_TEST_EXPECT] = {gate_read_expect, TEST(expect)},
	[GATE_SET_LOG] = {gate_read_log, 0},
	[GATE_SET_LOG_FILE] = {gate_read_log_file, POLICY(log_file)},
	[GATE_SET_LOG_FORMAT] = {gate_read_choice, POLICY(log_format)},
	[GATE_SET_ADMIN] = {gate_read_admin, POLICY(admin)},
	[GATE_SET_ADMIN_ADDRESS] = {gate_read_admin_address, 0},
	[GATE_SET_ADMIN_HOSTS] = {gate_read_admin_hosts, 0},
	[GATE_SET_ADMIN_SOCKET] = {gate_read_admin_socket, ADMIN(socket)},
	[GATE_SET_STOP] = {gate_read_stop, POLICY(stop)},
	[GATE_SET_STOP_SPREAD] = {gate_read_number, STOP(spread_ms)},
	[GATE_SET_STOP_DEADLINE] = {gate_read_number, STOP(deadline_ms)},
	[GATE_SET_USER] = {gate_read_user, POLICY(user)},
	[GATE_SET_GROUP] = {gate_read_user, POLICY(group)},
	[GATE_SET_PID_FILE] = {gate_read_pid_file, POLICY(pid_file)},
	[GATE_SET_BACKPLANE] = {gate_read_backplane, POLICY(backplane)},
	[GATE_SET_BACKPLANE_CA] = {gate_read_backplane_ca, POLICY(backplane_ca)},
	[GATE_SET_NODE] = {gate_read_node, POLICY(node)},
};

static void add_default_listener(struct gate_reader *r)
{
	r->policy->listen =
		gate_enough(r, calloc(1, sizeof(struct gate_listen)));
	if (!r->policy->listen)
		return;
	r->policy->n_listen = 1;
	r->policy->listen->host = gate_enough(r, strdup("127.0.0.1"));
	r->policy->listen->port = 8080;
}

/* A listener that only trusted proxies may use, where nobody is trusted. */
static void find_mute_listeners(struct gate_reader *r)
{
	for (size_t i = 0; i < r->policy->n_listen; i++) {
		const struct gate_listen *l = &r->policy->listen[i];
		struct gate_place at = {(int)l->line, (int)l->column};

		if (l->proxy_protocol && !r->policy->n_trusted)
			gate_complain(r->wrong, at,
				      "proxy_protocol needs `trusted_proxies`: "
				      "whose word is believed?");
	}
}

static void read_root(struct gate_reader *r, const struct gate_item *root)
{
	struct gate_seen seen;

	if (gate_is_null(root)) {
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "the file is empty; at least `routes` is needed");
		return;
	}
	if (!gate_is_map(root)) {
		gate_complain(r->wrong, root->at,
			      "a configuration is a map of settings, not %s",
			      gate_is_list(root) ? "a list" : "a single value");
		return;
	}
	gate_read_map(r, "", root, r->policy, &seen);
	gate_need(r, &seen, GATE_SET_ROUTES, (struct gate_place){1, 1});
	if (!seen.row[GATE_SET_LISTEN])
		add_default_listener(r);
	find_mute_listeners(r);
	gate_check_admin(r);
	gate_check_backplane(r);
}

/* The seed is new each time, so no client can know it. */
static void compile(struct gate_reader *r)
{
	uint8_t seed[SES_HASH_SEED];

	if (r->wrong->n)
		return;
	ses_random(seed, sizeof(seed));
	r->policy->index = gate_index_new(r->policy, seed);
	if (!r->policy->index)
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "out of memory");
}

struct gate_policy *gate_config_parse(const char *file, struct bytes text,
				      bool open_files, struct ses_buf *errors)
{
	struct gate_complaints *wrong = calloc(1, sizeof(*wrong));
	struct gate_policy *policy = calloc(1, sizeof(*policy));
	struct gate_reader r = {file, open_files, policy, wrong};

	if (!wrong || !policy) {
		free(wrong);
		free(policy);
		ses_buf_printf(errors, "%s: out of memory\n", file);
		return NULL;
	}
	atomic_init(&policy->refs, 1);
	policy->file = gate_enough(&r, strdup(file));
	policy->journal_rows = DEFAULT_ROWS;
	policy->stop = (struct gate_stop){SPREAD_MS, DEADLINE_MS};
	gate_yaml_read(&r, text, read_root);
	policy->live = gate_enough(
		&r, calloc(policy->n_routes + 1, sizeof(*policy->live)));
	compile(&r);
	if (wrong->n) {
		gate_complaints_print(wrong, file, errors);
		gate_policy_unref(policy);
		policy = NULL;
	}
	free(wrong);
	return policy;
}

struct gate_policy *gate_config_builtin(void)
{
	struct ses_buf errors;
	struct gate_policy *policy;

	ses_buf_init(&errors, 4096);
	policy = gate_config_parse("(built in)",
				   BYTES("routes: [{path: /**, to: echo}]\n"),
				   false, &errors);
	ses_buf_fini(&errors);
	return policy;
}
