/* SPDX-License-Identifier: MIT */
/*
 * Names of certificates are compared part by part, as RFC 4514 separates
 * them, so that no value can pass for two parts; alternative names with
 * entries of their own kind alone. What was too long to be kept whole may be
 * anybody's name: it admits nobody, and every entry that excludes by such a
 * name excludes its bearer.
 */
#include "gate/client_certificate.h"

#include <stdio.h>
#include <string.h>

#include "net/tls.h"

/* What an entry is about, in the order in which they are told. */
enum sort { SUBJECT, ISSUER, DNS, IP, URI, EMAIL, N_SORTS };

static const struct {
	struct bytes word;
	enum ses_tls_name_kind kind; /* of an alternative name */
} sorts[N_SORTS] = {
	[SUBJECT] = {BYTES("subject:"), SES_TLS_NAME_KINDS},
	[ISSUER] = {BYTES("issuer:"), SES_TLS_NAME_KINDS},
	[DNS] = {BYTES("san:dns:"), SES_TLS_NAME_DNS},
	[IP] = {BYTES("san:ip:"), SES_TLS_NAME_IP},
	[URI] = {BYTES("san:uri:"), SES_TLS_NAME_URI},
	[EMAIL] = {BYTES("san:email:"), SES_TLS_NAME_EMAIL},
};

/* What an entry is about, and its pattern; N_SORTS: nothing known. */
static enum sort sort_of(struct bytes entry, struct bytes *ret_pattern)
{
	for (int i = 0; i < N_SORTS; i++) {
		if (!bytes_starts(entry, sorts[i].word))
			continue;
		*ret_pattern = bytes_from(entry, sorts[i].word.len);
		return (enum sort)i;
	}
	return N_SORTS;
}

/* "spiffe://example.org" and "/web", or "urn:" and "isbn:0451450523". */
static void split_uri(struct bytes uri, struct bytes *ret_head,
		      struct bytes *ret_rest)
{
	size_t n = (size_t)(bytes_find_byte(uri, ':') + 1);

	if (bytes_starts(bytes_from(uri, n), BYTES("//")))
		for (n += 2; n < uri.len && uri.data[n] != '/'; n++)
			;
	*ret_head = bytes_first(uri, n);
	*ret_rest = bytes_from(uri, n);
}

/* Whether the path of a URI ends in a wildcard; the pattern is for that. */
static bool has_wildcard(struct bytes path, struct gate_path_pattern *ret)
{
	return !gate_path_pattern_read(path, ret) &&
	       ret->kind != GATE_PATH_EXACT;
}

static const char *read_dns(struct bytes pattern)
{
	struct bytes name =
		bytes_from(pattern, 2 * bytes_starts(pattern, BYTES("*.")));

	if (bytes_find_byte(name, '*') >= 0)
		return "may have a wildcard only as its whole first label, as "
		       "in *.example.org";
	return NULL;
}

static const char *read_uri(struct bytes pattern)
{
	struct gate_path_pattern ignored;
	struct bytes head, rest;

	split_uri(pattern, &head, &rest);
	if (bytes_find_byte(head, ':') <= 0)
		return "needs a URI with its scheme, as in "
		       "san:uri:spiffe://example.org/web";
	if (bytes_find_byte(head, '*') >= 0 ||
	    (bytes_find_byte(rest, '*') >= 0 && !has_wildcard(rest, &ignored)))
		return "may have * or ** only as the last segment of a plain "
		       "path, as in san:uri:spiffe://example.org/web/*";
	return NULL;
}

/* "alice" and "example.org"; false: it is no address. */
static bool split_email(struct bytes address, struct bytes *ret_who,
			struct bytes *ret_host)
{
	size_t n = address.len;

	while (n && address.data[n - 1] != '@')
		n--;
	*ret_who = bytes_first(address, n ? n - 1 : 0);
	*ret_host = bytes_from(address, n);
	return ret_who->len && ret_host->len;
}

static const char *read_email(struct bytes pattern)
{
	struct bytes who, host;

	if (!split_email(pattern, &who, &host))
		return "needs an address of mail, as in "
		       "san:email:alice@example.org";
	if (bytes_find_byte(host, '*') >= 0 ||
	    (bytes_find_byte(who, '*') >= 0 && who.len > 1))
		return "may have a wildcard only as all that stands before "
		       "the @, as in *@example.org";
	return NULL;
}

const char *gate_certificate_rule_read(struct gate_rule *rule)
{
	struct bytes s = bytes_of_str(rule->text), pattern = s;
	struct gate_address address;
	enum sort sort;

	rule->negative = s.len && s.data[0] == '!';
	rule->glob = s = bytes_from(s, rule->negative);
	sort = sort_of(s, &pattern);
	if (sort == N_SORTS)
		return "begins with none of subject:, issuer:, san:dns:, "
		       "san:ip:, san:uri: and san:email:";
	if (!pattern.len || pattern.len > (sort == URI ? 2048 : 256))
		return sort == URI ? "needs a URI of 1 to 2048 bytes"
				   : "needs a pattern of 1 to 256 bytes";
	switch (sort) {
	case DNS:
		return read_dns(pattern);
	case IP:
		return gate_address_read(pattern, &address)
			       ? NULL
			       : "needs an address";
	case URI:
		return read_uri(pattern);
	case EMAIL:
		return read_email(pattern);
	default:
		return bytes_find_byte(pattern, '=') > 0
			       ? NULL
			       : "needs the part of the name that it is "
				 "about, as in subject:CN=alice";
	}
}

/* The next part of "CN=a\,b,O=c"; false: that was all. */
static bool next_part(struct bytes *name, struct bytes *ret_part)
{
	size_t i = 0;

	if (!name->len)
		return false;
	while (i < name->len && name->data[i] != ',' && name->data[i] != '+')
		i += name->data[i] == '\\' ? 2 : 1;
	if (i > name->len)
		i = name->len;
	*ret_part = bytes_first(*name, i);
	*name = bytes_from(*name, i + 1);
	return true;
}

static bool name_has(const char *text, size_t room,
		     const struct gate_rule *rule, struct bytes pattern)
{
	struct bytes name = bytes_of_str(text), part;

	if (name.len + 1 >= room)
		return rule->negative; /* cut */
	if (bytes_equal(name, pattern))
		return true;
	while (next_part(&name, &part))
		if (gate_glob_has(pattern, bytes_trim(part)))
			return true;
	return false;
}

static bool dns_has(struct bytes pattern, struct bytes name)
{
	ptrdiff_t dot = bytes_find_byte(name, '.');

	if (!bytes_starts(pattern, BYTES("*.")))
		return bytes_equal_nocase(pattern, name);
	return dot > 0 && bytes_equal_nocase(bytes_from(pattern, 1),
					     bytes_from(name, (size_t)dot));
}

static bool ip_has(struct bytes pattern, struct bytes name)
{
	struct gate_address wanted, have;

	return gate_address_read(name, &have) &&
	       gate_address_read(pattern, &wanted) &&
	       memcmp(&have, &wanted, sizeof(have)) == 0;
}

/*
 * Scheme and authority but for case, all else byte for byte. A path with dot
 * segments and the like is below nothing, lest it lead out again.
 */
static bool uri_has(const struct gate_rule *rule, struct bytes pattern,
		    struct bytes name)
{
	struct bytes head[2], rest[2];
	struct gate_path_pattern below;

	split_uri(pattern, &head[0], &rest[0]);
	split_uri(name, &head[1], &rest[1]);
	if (!bytes_equal_nocase(head[0], head[1]))
		return false;
	if (!has_wildcard(rest[0], &below))
		return bytes_equal(rest[0], rest[1]);
	if (gate_path_ambiguity(rest[1]))
		return rule->negative;
	return gate_path_pattern_has(&below, rest[1]);
}

/* Before the @ letter case counts (RFC 5280 section 7.5), after it does not. */
static bool email_has(struct bytes pattern, struct bytes name)
{
	struct bytes who[2], host[2];

	return split_email(pattern, &who[0], &host[0]) &&
	       split_email(name, &who[1], &host[1]) &&
	       bytes_equal_nocase(host[0], host[1]) &&
	       (bytes_equal(who[0], BYTES("*")) || bytes_equal(who[0], who[1]));
}

static bool one_has(const struct gate_rule *rule, enum sort sort,
		    struct bytes pattern, struct bytes name)
{
	switch (sort) {
	case DNS:
		return dns_has(pattern, name);
	case IP:
		return ip_has(pattern, name);
	case URI:
		return uri_has(rule, pattern, name);
	case EMAIL:
		return email_has(pattern, name);
	default:
		return false;
	}
}

/* The first name of a kind that an entry has (or any, without one), or NULL. */
static const char *find_name(const struct ses_tls_names *names, enum sort sort,
			     const struct gate_rule *rule, struct bytes pattern)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = ses_tls_name(names, i);

		if (ses_tls_name_kind(names, i) == sorts[sort].kind &&
		    (!rule || one_has(rule, sort, pattern, bytes_of_str(name))))
			return name;
	}
	return NULL;
}

bool gate_certificate_has(const struct gate_rule *rule,
			  const struct ses_tls_info *tls)
{
	struct bytes pattern = bytes_of(NULL, 0);
	enum sort sort = sort_of(rule->glob, &pattern);

	if (!tls || tls->verify != SES_TLS_OK)
		return false;
	if (sort == SUBJECT)
		return name_has(tls->subject, sizeof(tls->subject), rule,
				pattern);
	if (sort == ISSUER)
		return name_has(tls->issuer, sizeof(tls->issuer), rule, pattern);
	return (tls->names.more && rule->negative) ||
	       find_name(&tls->names, sort, rule, pattern);
}

bool gate_certificate_is_there(const struct ses_tls_info *tls)
{
	return tls && (tls->subject[0] || tls->issuer[0] || tls->names.n ||
		       tls->names.more);
}

bool gate_certificate_admitted(const struct gate_rules *rules,
			       const struct ses_tls_info *tls,
			       const struct gate_rule **ret_rule)
{
	/* A list of exclusions alone is for all others who have one. */
	bool admitted =
		gate_certificate_is_there(tls) && tls->verify == SES_TLS_OK;

	*ret_rule = NULL;
	for (size_t i = 0; i < rules->n; i++) {
		const struct gate_rule *rule = &rules->rule[i];
		bool has = gate_certificate_has(rule, tls);

		if (has && rule->negative) {
			*ret_rule = rule;
			return false;
		}
		if (!rule->negative && !*ret_rule) {
			admitted = has;
			*ret_rule = has ? rule : NULL;
		}
	}
	return admitted;
}

/* What @tls has of the kind that @rule is about: of several what fits best. */
static const char *name_for(const struct gate_rule *rule,
			    const struct ses_tls_info *tls, enum sort *ret_sort)
{
	struct bytes pattern = bytes_of(NULL, 0);
	enum sort sort = sort_of(rule->glob, &pattern);
	const char *name;

	*ret_sort = sort;
	if (sort == SUBJECT || sort == ISSUER)
		return sort == SUBJECT ? tls->subject : tls->issuer;
	name = find_name(&tls->names, sort, rule, pattern);
	return name ? name : find_name(&tls->names, sort, NULL, pattern);
}

/* The first that it has of anything. */
static const char *any_name(const struct ses_tls_info *tls, enum sort *ret_sort)
{
	const char *name = tls->subject;

	*ret_sort = SUBJECT;
	for (int i = DNS; i < N_SORTS && !*name; i++) {
		*ret_sort = (enum sort)i;
		name = find_name(&tls->names, *ret_sort, NULL,
				 bytes_of(NULL, 0));
		name = name ? name : "";
	}
	return name;
}

struct bytes gate_certificate_shown(const struct gate_rules *rules,
				    const struct gate_rule *decided,
				    const struct ses_tls_info *tls, char *out,
				    size_t size)
{
	const char *name = NULL;
	enum sort sort;

	if (!gate_certificate_is_there(tls))
		return bytes_of(NULL, 0);
	if (decided)
		name = name_for(decided, tls, &sort);
	for (size_t i = 0; i < rules->n && !(name && *name); i++)
		if (!rules->rule[i].negative)
			name = name_for(&rules->rule[i], tls, &sort);
	if (!name || !*name)
		name = any_name(tls, &sort);
	snprintf(out, size, "%s%s", (const char *)sorts[sort].word.data, name);
	return bytes_of_str(out);
}

static struct bytes word_of(enum ses_tls_name_kind kind)
{
	for (int i = DNS; i < N_SORTS; i++)
		if (sorts[i].kind == kind)
			return sorts[i].word;
	return BYTES("san:");
}

void gate_certificate_tell(const struct ses_tls_info *tls, char *out,
			   size_t size)
{
	const struct ses_tls_names *names = &tls->names;
	char all[512];
	size_t at = (size_t)snprintf(all, sizeof(all), "%s", tls->subject);

	for (size_t i = 0; i < names->n && at < sizeof(all); i++)
		at += (size_t)snprintf(
			all + at, sizeof(all) - at, "%s%.*s%s", at ? ", " : "",
			BYTES_ARG(word_of(ses_tls_name_kind(names, i))),
			ses_tls_name(names, i));
	bytes_printable(bytes_of_str(all), out, size);
}

bool gate_certificate_describe(struct ses_tls_info *tls, struct bytes part)
{
	struct bytes value = bytes_of(NULL, 0);
	enum sort sort = sort_of(part, &value);
	char *to = sort == SUBJECT ? tls->subject : tls->issuer;

	if (sort == N_SORTS || !value.len)
		return false;
	if (sort != SUBJECT && sort != ISSUER)
		return ses_tls_names_add(&tls->names, sorts[sort].kind, value);
	if (value.len >= sizeof(tls->subject))
		return false;
	memcpy(to, value.data, value.len);
	to[value.len] = '\0';
	return true;
}
