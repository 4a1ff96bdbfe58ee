/* SPDX-License-Identifier: MIT */
/*
 * A token is taken apart in the order in which it may be believed: its shape,
 * its header as far as it chooses a key, the signature, and only then what it
 * claims. Past holes of others were in each of these; tests/gate/test_jwt.c
 * has them one by one.
 */
#include "gate/jwt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/text.h"
#include "gate/json.h"
#include "gate/match.h"
#include "gate/moment.h"

#define HEADER_MAX 4096 /* bytes of JSON; certificates may be in it */
#define MAX_PATHS  64	/* patterns of a claim that are looked at */

/* A token that is being checked. */
struct check {
	const struct gate_keys *keys;
	const struct gate_jwt_settings *settings;
	struct bytes path;
	double now_s;
	struct gate_jwt *jwt;
	/* of the token */
	struct bytes header, payload, signature; /* still encoded */
	struct bytes signed_part;
	enum ses_algorithm algorithm;
	struct bytes kid; /* borrowed from the header's JSON */
};

__attribute__((format(printf, 3, 4))) static enum gate_fault
deny(struct check *c, enum gate_fault fault, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->jwt->detail, sizeof(c->jwt->detail), format, args);
	va_end(args);
	return fault;
}

/* "aud: [\"a\"]", and what would do in the place of that. */
static void compare(struct check *c, const char *name, const char *is,
		    const char *wanted)
{
	struct gate_compared *to = &c->jwt->compared;
	char shown[64];

	bytes_printable(bytes_of_str(name), shown, sizeof(shown));
	snprintf(to->value, sizeof(to->value), "%s: %s", shown, is);
	if (*wanted)
		snprintf(to->nearest, sizeof(to->nearest), "%s: %s", shown,
			 wanted);
}

/* ---- Shape ---- */

/* The next of three parts; false when there is none. */
static bool cut(struct bytes *rest, struct bytes *ret_part)
{
	ptrdiff_t dot = bytes_find_byte(*rest, '.');

	if (dot < 0)
		return false;
	*ret_part = bytes_first(*rest, (size_t)dot);
	*rest = bytes_from(*rest, (size_t)dot + 1);
	return true;
}

static enum gate_fault split(struct check *c, struct bytes token)
{
	struct bytes rest = token;

	if (token.len > GATE_TOKEN_MAX)
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token is longer than %d bytes", GATE_TOKEN_MAX);
	if (!cut(&rest, &c->header) || !cut(&rest, &c->payload))
		return deny(c, GATE_FAULT_MALFORMED,
			    "a signed token has three parts with dots between "
			    "them; this has %s",
			    bytes_find_byte(token, '.') < 0 ? "no dot" : "two");
	if (bytes_find_byte(rest, '.') >= 0)
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token has more than three parts; encrypted "
			    "ones are not taken");
	c->signature = rest;
	c->signed_part = bytes_first(token, token.len - rest.len - 1);
	return GATE_FAULT_NONE;
}

/* ---- Header ---- */

static enum gate_fault read_algorithm(struct check *c, const json_t *header)
{
	const json_t *alg = json_object_get(header, "alg");
	struct bytes name = gate_json_bytes(alg);
	char shown[48], taken[128];

	if (!name.data)
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's header has no \"alg\"");
	if (ses_algorithm_read(name, &c->algorithm) &&
	    (c->keys->algorithms & SES_ALGORITHM_BIT(c->algorithm)))
		return GATE_FAULT_NONE;
	bytes_printable(name, shown, sizeof(shown));
	gate_algorithms_text(c->keys->algorithms, taken, sizeof(taken));
	compare(c, "alg", shown, taken);
	return deny(c, GATE_FAULT_ALGORITHM,
		    "the token says \"%s\"; the route takes %s", shown, taken);
}

static enum gate_fault read_kid(struct check *c, const json_t *header)
{
	const json_t *kid = json_object_get(header, "kid");

	c->kid = gate_json_bytes(kid);
	if (kid && (!c->kid.data || c->kid.len > GATE_MAX_KID))
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's \"kid\" is no text of up to %d bytes",
			    GATE_MAX_KID);
	return GATE_FAULT_NONE;
}

/*
 * What else a header may hold is not looked at: keys and addresses of keys
 * ("jwk", "jku", "x5c", "x5u") come from whoever made the token.
 */
static enum gate_fault read_header(struct check *c, const json_t *header)
{
	enum gate_fault fault;

	/* An extension that must be understood; none is here (RFC 7515 4.1.11). */
	if (json_object_get(header, "crit"))
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's header has \"crit\": it needs an "
			    "extension that is not known here");
	/* Only together with "crit" it would be in order (RFC 7797 section 6). */
	if (json_is_false(json_object_get(header, "b64")))
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's payload is not encoded (\"b64\")");
	fault = read_algorithm(c, header);
	return fault ? fault : read_kid(c, header);
}

/* ---- Signature ---- */

static enum gate_fault no_key(struct check *c, size_t n)
{
	char shown[80];

	if (!c->kid.data && n > GATE_MAX_TRIES)
		return deny(c, GATE_FAULT_KEY,
			    "the token has no \"kid\", and %zu keys of the "
			    "route are for %s",
			    n, ses_algorithm_name(c->algorithm));
	bytes_printable(c->kid, shown, sizeof(shown));
	compare(c, "kid", c->kid.data ? shown : "missing", "");
	if (n > GATE_MAX_TRIES)
		return deny(c, GATE_FAULT_KEY,
			    "%zu keys of the route have the \"kid\" \"%s\"", n,
			    shown);
	return deny(c, GATE_FAULT_KEY,
		    "no key of the route that is for %s has the \"kid\" \"%s\"",
		    ses_algorithm_name(c->algorithm), shown);
}

static enum gate_fault check_signature(struct check *c)
{
	const struct gate_key *tries[GATE_MAX_TRIES];
	uint8_t signature[SES_SIGNATURE_MAX];
	size_t len, n;

	if (ses_base64url_decode(c->signature, signature, sizeof(signature),
				 &len) != 0)
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's signature is not base64url");
	n = gate_keys_find(c->keys, c->algorithm, c->kid, tries);
	if (n == 0 || n > GATE_MAX_TRIES)
		return no_key(c, n);
	for (size_t i = 0; i < n; i++)
		if (ses_signature_verify(tries[i]->key, c->algorithm,
					 c->signed_part,
					 bytes_of(signature, len)))
			return GATE_FAULT_NONE;
	return deny(c, GATE_FAULT_SIGNATURE, "%zu key%s tried for %s", n,
		    n == 1 ? " was" : "s were",
		    ses_algorithm_name(c->algorithm));
}

/* A part as a JSON object to be released; NULL: detail says why. */
static json_t *read_part(struct check *c, const char *what, struct bytes part,
			 uint8_t *room, size_t size)
{
	const char *wrong = "is not base64url";
	json_t *json = NULL;
	size_t len;
	int error = ses_base64url_decode(part, room, size, &len);

	if (error == 0)
		json = gate_json_read(bytes_of(room, len), &wrong);
	else if (part.len / 4 * 3 > size)
		wrong = "is too long";
	if (!json)
		deny(c, GATE_FAULT_MALFORMED, "the token's %s %s", what, wrong);
	return json;
}

static enum gate_fault authenticate(struct check *c)
{
	uint8_t room[HEADER_MAX];
	json_t *header = read_part(c, "header", c->header, room, sizeof(room));
	enum gate_fault fault;

	if (!header)
		return GATE_FAULT_MALFORMED;
	fault = read_header(c, header);
	if (!fault)
		fault = check_signature(c);
	json_decref(header);
	return fault;
}

/* ---- Times ---- */

/* As far as it fits; "exp" may be any number. */
static int64_t whole(double s)
{
	return s >= 4e18 ? (int64_t)4e18 : s < 1 ? 1 : (int64_t)s;
}

static const char *span(double seconds, char out[32])
{
	static const struct {
		int64_t unit;
		const char *name;
	} units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t s = whole(seconds);
	size_t i = 0;

	while (units[i].unit > 1 && s < 2 * units[i].unit)
		i++;
	snprintf(out, 32, "%lld %s", (long long)(s / units[i].unit),
		 units[i].name);
	return out;
}

/* A NumericDate: 1 with *ret_s, 0 when there is none, -1 when it is no number. */
static int read_time(const json_t *claims, const char *name, double *ret_s)
{
	const json_t *value = json_object_get(claims, name);

	if (!value)
		return 0;
	if (!json_is_number(value))
		return -1;
	*ret_s = json_number_value(value);
	return 1;
}

static const char *moment(double s, char out[GATE_MOMENT_TEXT])
{
	/* The whole second, and no further than a number of 64 bits has them. */
	double least = s < -4e18 ? -4e18 : s;

	return gate_moment((int64_t)(least > 4e18 ? 4e18 : least), out);
}

static enum gate_fault tell_expired(struct check *c, double exp, double leeway_s)
{
	char text[32], is[GATE_MOMENT_TEXT], least[GATE_MOMENT_TEXT], wanted[48];

	snprintf(wanted, sizeof(wanted), "later than %s",
		 moment(c->now_s - leeway_s, least));
	compare(c, "exp", moment(exp, is), wanted);
	return deny(c, GATE_FAULT_EXPIRED,
		    "the token expired %s ago (leeway %.0f s)",
		    span(c->now_s - exp, text), leeway_s);
}

static enum gate_fault tell_early(struct check *c, double nbf, double leeway_s)
{
	char text[32], is[GATE_MOMENT_TEXT], most[GATE_MOMENT_TEXT], wanted[48];

	snprintf(wanted, sizeof(wanted), "%s or before",
		 moment(c->now_s + leeway_s, most));
	compare(c, "nbf", moment(nbf, is), wanted);
	return deny(c, GATE_FAULT_EARLY,
		    "the token is valid in %s (leeway %.0f s)",
		    span(nbf - c->now_s, text), leeway_s);
}

static enum gate_fault tell_no_expiry(struct check *c)
{
	compare(c, "exp", "missing", "a time to come");
	return deny(c, GATE_FAULT_EXPIRED,
		    "the token has no \"exp\", and the route takes none that "
		    "never expires");
}

static enum gate_fault check_times(struct check *c)
{
	double leeway_s = (double)c->settings->leeway_ms / 1000;
	double exp = 0, nbf = 0;
	int has_exp = read_time(c->jwt->claims, "exp", &exp);
	int has_nbf = read_time(c->jwt->claims, "nbf", &nbf);

	if (has_exp < 0 || has_nbf < 0)
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's \"%s\" is no number",
			    has_exp < 0 ? "exp" : "nbf");
	if (!has_exp && c->settings->expiry == GATE_EXPIRY_REQUIRED)
		return tell_no_expiry(c);
	if (has_exp)
		c->jwt->expires_s = whole(exp);
	if (has_exp && c->now_s >= exp + leeway_s)
		return tell_expired(c, exp, leeway_s);
	if (has_nbf && c->now_s + leeway_s < nbf)
		return tell_early(c, nbf, leeway_s);
	return GATE_FAULT_NONE;
}

/* ---- Claims ---- */

/* A value, for people: "\"admin\"", "[\"a\",\"b\"]", "missing". */
static const char *show(const json_t *value, char *out, size_t size)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
			   : NULL;

	if (!value)
		snprintf(out, size, "missing");
	else
		bytes_printable(bytes_of_str(text), out, size);
	free(text);
	return out;
}

static bool has_text(const struct gate_words *words, struct bytes text)
{
	for (size_t i = 0; i < words->n; i++)
		if (text.data && bytes_equal_str(text, words->word[i].text))
			return true;
	return false;
}

/* "\"chat\"", or with more of them "\"chat\" or another of the list". */
static const char *show_wanted(const struct gate_words *words, char *out,
			       size_t size)
{
	char first[80];

	snprintf(out, size, "\"%s\"%s",
		 bytes_printable(bytes_of_str(words->word[0].text), first,
				 sizeof(first)),
		 words->n > 1 ? " or another of the list" : "");
	return out;
}

/* The word that is most like what the token has, quoted. */
static const char *nearest_word(const struct gate_words *words,
				const json_t *value, char *out, size_t size)
{
	const json_t *first =
		json_is_array(value) ? json_array_get(value, 0) : value;
	const char *is = json_is_string(first) ? json_string_value(first) : "";
	const char *best = words->n ? words->word[0].text : "";
	char shown[100];

	for (size_t i = 1; i < words->n; i++)
		if (text_distance(is, words->word[i].text) <
		    text_distance(is, best))
			best = words->word[i].text;
	snprintf(out, size, *best ? "\"%s\"" : "%s",
		 bytes_printable(bytes_of_str(best), shown, sizeof(shown)));
	return out;
}

static enum gate_fault check_issuer(struct check *c)
{
	const struct gate_words *issuer = &c->settings->issuer;
	const json_t *iss = json_object_get(c->jwt->claims, "iss");
	char is[80], wanted[120];

	if (issuer->n == 0 || has_text(issuer, gate_json_bytes(iss)))
		return GATE_FAULT_NONE;
	c->jwt->line = issuer->word[0].line;
	show(iss, is, sizeof(is));
	compare(c, "iss", is, nearest_word(issuer, iss, wanted, sizeof(wanted)));
	return deny(c, GATE_FAULT_ISSUER,
		    "the token's \"iss\" is %s; %s is needed", is,
		    show_wanted(issuer, wanted, sizeof(wanted)));
}

/* Whether "aud", a text or a list of them, holds one of ours. */
static bool is_for_us(const struct gate_words *audience, const json_t *aud)
{
	const json_t *item;
	size_t i;

	if (has_text(audience, gate_json_bytes(aud)))
		return true;
	json_array_foreach(
		aud, i,
		item) if (has_text(audience, gate_json_bytes(item))) return true;
	return false;
}

static enum gate_fault check_audience(struct check *c)
{
	const struct gate_words *audience = &c->settings->audience;
	const json_t *aud = json_object_get(c->jwt->claims, "aud");
	char is[80], wanted[120];

	if (has_text(audience, BYTES("*")) || (!aud && audience->n == 0) ||
	    is_for_us(audience, aud))
		return GATE_FAULT_NONE;
	show(aud, is, sizeof(is));
	compare(c, "aud", is,
		nearest_word(audience, aud, wanted, sizeof(wanted)));
	if (audience->n == 0)
		return deny(c, GATE_FAULT_AUDIENCE,
			    "the token's \"aud\" is %s; the route names no "
			    "audience of its own",
			    is);
	c->jwt->line = audience->word[0].line;
	return deny(c, GATE_FAULT_AUDIENCE,
		    "the token's \"aud\" is %s; %s is needed", is,
		    show_wanted(audience, wanted, sizeof(wanted)));
}

static const json_t *find_claim(const json_t *claims, const char *name)
{
	const json_t *found = json_object_get(claims, name);
	char step[256];

	while (!found && json_is_object(claims)) {
		size_t len = strcspn(name, ".");

		if (len >= sizeof(step))
			return NULL;
		memcpy(step, name, len);
		step[len] = '\0';
		claims = json_object_get(claims, step);
		if (!name[len])
			return claims;
		name += len + 1;
	}
	return found;
}

static bool is_value(const json_t *value, const char *text)
{
	char number[32];

	if (json_is_string(value))
		return bytes_equal_str(gate_json_bytes(value), text);
	if (json_is_boolean(value))
		return strcmp(text, json_is_true(value) ? "true" : "false") == 0;
	if (!json_is_integer(value))
		return false;
	snprintf(number, sizeof(number), "%lld",
		 (long long)json_integer_value(value));
	return strcmp(text, number) == 0;
}

static bool has_word(struct bytes words, const char *wanted)
{
	while (words.len) {
		ptrdiff_t blank = bytes_find_byte(words, ' ');
		struct bytes word = bytes_first(
			words, blank < 0 ? words.len : (size_t)blank);

		if (word.len && bytes_equal_str(word, wanted))
			return true;
		words = bytes_from(words, word.len + 1);
	}
	return false;
}

bool gate_claim_has(const json_t *claims, const char *name, const char *value)
{
	const json_t *claim = find_claim(claims, name);
	const json_t *item;
	size_t i;

	if (is_value(claim, value))
		return true;
	json_array_foreach(claim, i,
			   item) if (is_value(item, value)) return true;
	return (strcmp(name, "scope") == 0 || strcmp(name, "scp") == 0) &&
	       has_word(gate_json_bytes(claim), value);
}

static enum gate_fault tell_claim(struct check *c,
				  const struct gate_claim *claim)
{
	char is[80], name[64], wanted[64], quoted[70];

	c->jwt->line = claim->line;
	show(find_claim(c->jwt->claims, claim->name), is, sizeof(is));
	bytes_printable(bytes_of_str(claim->value), wanted, sizeof(wanted));
	bytes_printable(bytes_of_str(claim->name), name, sizeof(name));
	snprintf(quoted, sizeof(quoted), "\"%s\"", wanted);
	compare(c, claim->name, is, quoted);
	return deny(c, GATE_FAULT_CLAIM, "the claim \"%s\" is %s; %s is needed",
		    name, is, quoted);
}

static enum gate_fault check_claims(struct check *c)
{
	for (size_t i = 0; i < c->settings->n_claims; i++) {
		const struct gate_claim *claim = &c->settings->claim[i];

		if (!gate_claim_has(c->jwt->claims, claim->name, claim->value))
			return tell_claim(c, claim);
	}
	return GATE_FAULT_NONE;
}

/* ---- Paths ---- */

static bool opens(const json_t *value, struct bytes path)
{
	struct gate_path_pattern pattern;
	struct bytes text = gate_json_bytes(value);

	return text.data && gate_path_pattern_read(text, &pattern) == NULL &&
	       gate_path_pattern_has(&pattern, path);
}

static enum gate_fault check_path(struct check *c)
{
	const struct gate_word *name = &c->settings->paths_claim;
	const json_t *claim, *item;
	char is[120], shown[64], path[120];
	size_t i;

	if (!name->text)
		return GATE_FAULT_NONE;
	claim = find_claim(c->jwt->claims, name->text);
	if (opens(claim, c->path))
		return GATE_FAULT_NONE;
	json_array_foreach(
		claim, i, item) if (i < MAX_PATHS &&
				    opens(item, c->path)) return GATE_FAULT_NONE;
	c->jwt->line = name->line;
	show(claim, is, sizeof(is));
	compare(c, name->text, is, bytes_printable(c->path, path, sizeof(path)));
	return deny(
		c, GATE_FAULT_PATH, "the claim \"%s\" is %s",
		bytes_printable(bytes_of_str(name->text), shown, sizeof(shown)),
		is);
}

/* ---- All of it ---- */

static enum gate_fault read_claims(struct check *c)
{
	uint8_t room[GATE_TOKEN_MAX / 4 * 3];
	const json_t *sub;

	c->jwt->claims = read_part(c, "payload", c->payload, room, sizeof(room));
	if (!c->jwt->claims)
		return GATE_FAULT_MALFORMED;
	sub = json_object_get(c->jwt->claims, "sub");
	if (sub && !json_is_string(sub))
		return deny(c, GATE_FAULT_MALFORMED,
			    "the token's \"sub\" is no text");
	if (sub)
		bytes_printable(gate_json_bytes(sub), c->jwt->subject,
				sizeof(c->jwt->subject));
	return GATE_FAULT_NONE;
}

enum gate_fault gate_jwt_check(const struct gate_keys *keys,
			       const struct gate_jwt_settings *settings,
			       struct bytes token, struct bytes path,
			       int64_t now_s, struct gate_jwt *ret_jwt)
{
	static enum gate_fault (*const steps[])(struct check * c) = {
		authenticate,	read_claims,  check_times, check_issuer,
		check_audience, check_claims, check_path,
	};
	struct check c = {.keys = keys,
			  .settings = settings,
			  .path = path,
			  .now_s = (double)now_s,
			  .jwt = ret_jwt};
	enum gate_fault fault;

	memset(ret_jwt, 0, sizeof(*ret_jwt));
	fault = split(&c, token);
	for (size_t i = 0; !fault && i < sizeof(steps) / sizeof(steps[0]); i++)
		fault = steps[i](&c);
	return fault;
}
