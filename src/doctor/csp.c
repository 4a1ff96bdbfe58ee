/* SPDX-License-Identifier: MIT */
/*
 * Which sources a page may connect to (CSP level 3, sections 6.7.2.5 on),
 * 'self' included. Where browsers differ (http://HOST for ws://HOST), the
 * lenient one counts: what is said to be forbidden has to be.
 */
#include "doctor/csp.h"

#include "base/percent.h"

/* Cut the next part off @text at @sep, trimmed. */
static bool next_part(struct bytes *text, uint8_t sep, struct bytes *ret)
{
	ptrdiff_t at;

	if (text->len == 0)
		return false;
	at = bytes_find_byte(*text, sep);
	*ret = bytes_trim(bytes_first(*text, at < 0 ? text->len : (size_t)at));
	*text = bytes_from(*text, at < 0 ? text->len : (size_t)at + 1);
	return true;
}

/* The secure form of a scheme matches as well; https: is no form of wss:. */
static bool scheme_matches(struct bytes scheme, bool tls)
{
	return bytes_equal_nocase(scheme, BYTES("ws")) ||
	       bytes_equal_nocase(scheme, BYTES("http")) ||
	       (tls && bytes_equal_nocase(scheme, BYTES("wss")));
}

static bool host_matches(struct bytes pattern, struct bytes host)
{
	if (bytes_starts(pattern, BYTES("*."))) {
		pattern = bytes_from(pattern, 1);
		return host.len > pattern.len &&
		       bytes_equal_nocase(
			       bytes_from(host, host.len - pattern.len),
			       pattern);
	}
	return bytes_equal_str(pattern, "*") ||
	       bytes_equal_nocase(pattern, host);
}

static bool port_matches(struct bytes port, const struct ses_url *url)
{
	uint64_t n;

	if (port.len == 0)
		return url->port == (url->tls ? 443 : 80);
	return bytes_equal_str(port, "*") ||
	       (bytes_to_u64(port, 65535, &n) && n == url->port);
}

static size_t find_text(struct bytes text, const char *what)
{
	struct bytes w = bytes_of_str(what);

	for (size_t i = 0; i + w.len <= text.len; i++)
		if (bytes_equal(bytes_of(text.data + i, w.len), w))
			return i;
	return text.len;
}

/*
 * 'self' is the page's own host and port; ws for http and wss for https, and
 * the secure form of either with its own default port.
 */
static bool self_matches(const struct ses_url *page, const struct ses_url *url)
{
	if (!page) /* a page of the URL's own host */
		return true;
	if (!bytes_equal_nocase(page->host, url->host) ||
	    (page->tls && !url->tls))
		return false;
	return page->port == url->port ||
	       (page->port == (page->tls ? 443 : 80) &&
		url->port == (url->tls ? 443 : 80));
}

/* Whether two segments of paths are the same, decoded. */
static bool same_segment(struct bytes a, struct bytes b)
{
	while (a.len > 0 && b.len > 0)
		if (ses_percent_next(&a) != ses_percent_next(&b))
			return false;
	return a.len == b.len;
}

static struct bytes next_segment(struct bytes *path)
{
	ptrdiff_t end = bytes_find_byte(*path, '/');
	size_t n = end < 0 ? path->len : (size_t)end;
	struct bytes one = bytes_first(*path, n);

	*path = bytes_from(*path, n);
	return one;
}

/*
 * A path with a slash at its end stands for all below it, any other for itself
 * (CSP level 3, section 6.7.2.12). Browsers leave its query out.
 */
static bool path_matches(struct bytes pattern, struct bytes path)
{
	bool prefix;

	for (size_t i = 0; i < pattern.len; i++)
		if (pattern.data[i] == '?' || pattern.data[i] == '#')
			pattern.len = i;
	if (pattern.len <= 1)
		return true;
	prefix = pattern.data[pattern.len - 1] == '/';
	for (;;) {
		if (!same_segment(next_segment(&pattern), next_segment(&path)))
			return false;
		if (pattern.len == 0 || path.len == 0)
			return pattern.len == path.len;
		pattern = bytes_from(pattern, 1);
		path = bytes_from(path, 1);
		if (pattern.len == 0 && prefix)
			return true;
	}
}

static bool source_matches(struct bytes source, const struct ses_url *page,
			   const struct ses_url *url)
{
	size_t at = find_text(source, "://");
	struct bytes host = source, port = {0}, path;
	size_t end = 0;

	if (bytes_equal_str(source, "*"))
		return true;
	if (bytes_equal_nocase(source, BYTES("'self'")))
		return self_matches(page, url);
	if (source.len > 1 && source.data[source.len - 1] == ':')
		return scheme_matches(bytes_first(source, source.len - 1),
				      url->tls);
	if (source.data[0] == '\'')
		return false;
	if (at < source.len) {
		if (!scheme_matches(bytes_first(source, at), url->tls))
			return false;
		host = bytes_from(source, at + 3);
	}
	while (end < host.len && host.data[end] != '/')
		end++;
	path = bytes_from(host, end);
	host = bytes_first(host, end);
	for (size_t i = host.len; i > 0 && host.data[i - 1] != ']'; i--)
		if (host.data[i - 1] == ':') {
			port = bytes_from(host, i);
			host = bytes_first(host, i - 1);
			break;
		}
	return host_matches(host, url->host) && port_matches(port, url) &&
	       path_matches(path, url->path);
}

/* Whether @directive is called @name; *ret_sources is the rest. */
static bool is_called(struct bytes directive, const char *name,
		      struct bytes *ret_sources)
{
	struct bytes first = bytes_first(directive, strlen(name));

	*ret_sources = bytes_from(directive, strlen(name));
	return bytes_equal_nocase(first, bytes_of_str(name)) &&
	       (ret_sources->len == 0 || ret_sources->data[0] == ' ');
}

static bool list_forbids(struct bytes sources, const struct ses_url *page,
			 const struct ses_url *url)
{
	struct bytes one;

	while (next_part(&sources, ' ', &one))
		if (one.len > 0 && source_matches(one, page, url))
			return false;
	return true;
}

static bool policy_forbids(struct bytes policy, const struct ses_url *page,
			   const struct ses_url *url,
			   struct bytes *ret_directive)
{
	static const char *const names[] = {"connect-src", "default-src"};

	for (size_t i = 0; i < 2; i++) {
		struct bytes rest = policy, directive, sources;

		while (next_part(&rest, ';', &directive)) {
			if (!is_called(directive, names[i], &sources))
				continue;
			*ret_directive = directive;
			return list_forbids(sources, page, url);
		}
	}
	return false;
}

bool doctor_csp_policy_forbids(struct bytes policy, const struct ses_url *url,
			       struct bytes *ret_directive)
{
	return policy_forbids(policy, NULL, url, ret_directive);
}

/* ---- the policies of a page ---- */

/*
 * The policies that a page is under: of its fields, which may hold several with
 * commas between, and of its <meta> elements (which have no say in a sandbox).
 * A policy that only reports forbids nothing.
 */
struct policies {
	struct bytes fields[SES_HEAD_MAX_FIELDS];
	size_t n_fields, i;
	struct bytes list; /* of the field at work */
	struct bytes body; /* what is left of it */
	bool meta;	   /* the last one came from the body */
};

static void begin(struct policies *all, const struct doctor_probe *page)
{
	*all = (struct policies){.body = bytes_of(page->body, page->body_len)};
	for (size_t i = 0; i < page->parsed.n_fields; i++)
		if (bytes_equal_nocase(page->parsed.fields[i].name,
				       BYTES("Content-Security-Policy")))
			all->fields[all->n_fields++] =
				page->parsed.fields[i].value;
}

static size_t find_word(struct bytes text, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= text.len; i++)
		if (bytes_equal_nocase(bytes_of(text.data + i, len),
				       bytes_of_str(word)))
			return i;
	return text.len;
}

/* The value of the attribute called @name in the text of a tag. */
static struct bytes attribute(struct bytes tag, const char *name)
{
	struct bytes rest = tag;
	size_t at, end = 0;
	uint8_t quote;
	bool begins;

	do { /* the name may stand in another's value, too */
		at = find_word(rest, name);
		if (at >= rest.len)
			return bytes_of(NULL, 0);
		begins = at > 0 && strchr(" \t\r\n\f\"'/", rest.data[at - 1]);
		rest = bytes_from(rest, at + strlen(name));
	} while (!begins || rest.len == 0 || rest.data[0] != '=');
	if (rest.len < 3)
		return bytes_of(NULL, 0);
	quote = rest.data[1];
	if (quote != '"' && quote != '\'')
		return bytes_of(NULL, 0);
	rest = bytes_from(rest, 2);
	while (end < rest.len && rest.data[end] != quote)
		end++;
	return bytes_first(rest, end);
}

/* The end of a tag; a ">" in quotes is none. */
static size_t tag_len(struct bytes text)
{
	uint8_t quote = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t b = text.data[i];

		if (quote)
			quote = b == quote ? 0 : quote;
		else if (b == '"' || b == '\'')
			quote = b;
		else if (b == '>')
			return i;
	}
	return text.len;
}

static bool next_meta(struct bytes *body, struct bytes *ret)
{
	for (;;) {
		size_t at = find_word(*body, "<meta");
		struct bytes tag;

		if (at >= body->len)
			return false;
		*body = bytes_from(*body, at + 5);
		tag = bytes_first(*body, tag_len(*body));
		*body = bytes_from(*body, tag.len);
		if (!bytes_equal_nocase(attribute(tag, "http-equiv"),
					BYTES("Content-Security-Policy")))
			continue;
		*ret = attribute(tag, "content");
		return true;
	}
}

static bool next_policy(struct policies *all, struct bytes *ret)
{
	all->meta = false;
	for (;;) {
		if (next_part(&all->list, ',', ret))
			return true;
		if (all->i == all->n_fields)
			break;
		all->list = all->fields[all->i++];
	}
	all->meta = true;
	return next_meta(&all->body, ret);
}

static bool any_forbids(const struct doctor_probe *page,
			const struct ses_url *at, const struct ses_url *url,
			char *out, size_t size)
{
	struct bytes policy, directive;
	struct policies all;

	begin(&all, page);
	while (next_policy(&all, &policy))
		if (policy_forbids(policy, at, url, &directive)) {
			bytes_printable(directive, out, size);
			return true;
		}
	return false;
}

bool doctor_csp_forbids(const struct doctor_probe *page,
			const struct ses_url *url, char *out, size_t size)
{
	return any_forbids(page, NULL, url, out, size);
}

bool doctor_csp_page_forbids(const struct doctor_probe *page,
			     const struct ses_url *at,
			     const struct ses_url *url, char *out, size_t size)
{
	return any_forbids(page, at, url, out, size);
}

bool doctor_csp_has(const struct doctor_probe *page, const char *name,
		    char *out, size_t size)
{
	struct bytes policy, directive, rest;
	struct policies all;

	begin(&all, page);
	while (next_policy(&all, &policy))
		while (next_part(&policy, ';', &directive))
			if (is_called(directive, name, &rest)) {
				bytes_printable(directive, out, size);
				return true;
			}
	return false;
}

/* ---- the sandbox of a page ---- */

static bool has_token(struct bytes list, const char *token)
{
	struct bytes one;

	while (next_part(&list, ' ', &one))
		if (bytes_equal_nocase(one, bytes_of_str(token)))
			return true;
	return false;
}

/* Whether one of its policies has a sandbox that does not give @token back. */
static bool sandbox_lacks(const struct doctor_probe *page, const char *token)
{
	struct bytes policy, directive, rest;
	struct policies all;

	begin(&all, page);
	while (next_policy(&all, &policy) && !all.meta)
		while (next_part(&policy, ';', &directive))
			if (is_called(directive, "sandbox", &rest) &&
			    !has_token(rest, token))
				return true;
	return false;
}

bool doctor_csp_sandboxed(const struct doctor_probe *page)
{
	return sandbox_lacks(page, "allow-same-origin");
}

bool doctor_csp_scriptless(const struct doctor_probe *page)
{
	return sandbox_lacks(page, "allow-scripts");
}
