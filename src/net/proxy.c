/* SPDX-License-Identifier: MIT */
/*
 * Proxies' languages. Host and credentials come from users and URLs, so what
 * could break out of a line or a length byte is refused here.
 */
#include "net/proxy.h"

#include "base/base64.h"
#include "base/percent.h"

#include <sesame/error.h>

#include <arpa/inet.h>
#include <stdio.h>

enum { NO_AUTHENTICATION = 0, USER_PASSWORD = 2, NONE_ACCEPTABLE = 0xff };
enum { TO_IPV4 = 1, TO_NAME = 3, TO_IPV6 = 4 };

/* ---- the proxy's URL ---- */

static int complain(const char **ret_text, const char *text)
{
	*ret_text = text;
	return SESAME_EINVAL;
}

/* Cut "scheme://" off @text. False for a scheme that is not known. */
static bool cut_scheme(struct bytes *text, struct ses_proxy *proxy)
{
	static const struct {
		const char *scheme;
		enum ses_proxy_kind kind;
		bool tls;
		uint16_t port;
	} schemes[] = {
		{"http://", SES_PROXY_HTTP, false, 80},
		{"https://", SES_PROXY_HTTP, true, 443},
		{"socks5://", SES_PROXY_SOCKS5, false, 1080},
		{"socks5h://", SES_PROXY_SOCKS5, false, 1080},
	};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct bytes scheme = bytes_of_str(schemes[i].scheme);

		if (!bytes_equal_nocase(bytes_first(*text, scheme.len), scheme))
			continue;
		proxy->kind = schemes[i].kind;
		proxy->tls = schemes[i].tls;
		proxy->port = schemes[i].port;
		*text = bytes_from(*text, scheme.len);
		return true;
	}
	proxy->kind = SES_PROXY_HTTP;
	proxy->port = 80;
	return !memmem(text->data, text->len, "://", 3);
}

/* Undo %XX (RFC 3986 2.1). False if it does not fit or would hold a NUL. */
static bool decode(struct bytes in, char *out, size_t size)
{
	size_t n = 0;

	while (in.len) {
		uint8_t c = ses_percent_next(&in);

		if (c == 0 || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return true;
}

static bool parse_userinfo(struct bytes info, struct ses_proxy *proxy)
{
	ptrdiff_t colon = bytes_find_byte(info, ':');
	struct bytes user = info, password = bytes_of(info.data, 0);

	if (colon >= 0) {
		user = bytes_first(info, (size_t)colon);
		password = bytes_from(info, (size_t)colon + 1);
	}
	proxy->has_user = info.len > 1;
	proxy->ticket = info.len == 1 && colon == 0;
	return decode(user, proxy->user, sizeof(proxy->user)) &&
	       decode(password, proxy->password, sizeof(proxy->password));
}

static ptrdiff_t find_last(struct bytes in, uint8_t c)
{
	for (size_t i = in.len; i > 0; i--)
		if (in.data[i - 1] == c)
			return (ptrdiff_t)(i - 1);
	return -1;
}

static bool is_host(struct bytes host)
{
	for (size_t i = 0; i < host.len; i++)
		if (host.data[i] <= ' ' || host.data[i] >= 0x7f ||
		    strchr("/?#@[]\\\"<>", host.data[i]))
			return false;
	return host.len > 0 && host.len < SES_PROXY_TEXT;
}

static const char *scheme_of(const struct ses_proxy *proxy)
{
	if (proxy->kind == SES_PROXY_SOCKS5)
		return "socks5";
	return proxy->tls ? "https" : "http";
}

/* "host", "host:80", "[::1]:80"; the brackets are what tells a v6 colon. */
static int parse_authority(struct bytes at, struct ses_proxy *proxy,
			   const char **ret_text)
{
	ptrdiff_t close = bytes_find_byte(at, ']');
	struct bytes host = at, port = bytes_of(at.data, 0);
	bool v6 = at.len > 0 && at.data[0] == '[';
	ptrdiff_t colon;
	uint64_t number;

	if (v6 && close < 0)
		return complain(ret_text, "the proxy's address has no ]");
	if (v6) {
		host = bytes_first(bytes_from(at, 1), (size_t)close - 1);
		port = bytes_from(at, (size_t)close + 1);
		if (port.len > 0 && port.data[0] != ':')
			return complain(ret_text, "a port follows a colon");
		port = bytes_from(port, 1);
	} else if ((colon = bytes_find_byte(at, ':')) >= 0) {
		host = bytes_first(at, (size_t)colon);
		port = bytes_from(at, (size_t)colon + 1);
	}
	if (!is_host(host))
		return complain(ret_text, "the proxy has no valid host");
	if (port.len > 0 && (!bytes_to_u64(port, 65535, &number) || !number))
		return complain(ret_text, "the proxy's port is not valid");
	if (port.len > 0)
		proxy->port = (uint16_t)number;
	memcpy(proxy->host, host.data, host.len);
	proxy->host[host.len] = 0;
	snprintf(proxy->name, sizeof(proxy->name),
		 v6 ? "%s://[%s]:%u" : "%s://%s:%u", scheme_of(proxy),
		 proxy->host, proxy->port);
	return 0;
}

int ses_proxy_parse(const char *text, struct ses_proxy *ret,
		    const char **ret_text)
{
	struct ses_proxy proxy = {0};
	struct bytes rest = bytes_trim(bytes_of_str(text));
	ptrdiff_t at, slash;
	int error;

	if (!cut_scheme(&rest, &proxy))
		return complain(ret_text,
				"a proxy is http://, https:// or socks5://");
	at = find_last(rest, '@');
	if (at >= 0 && !parse_userinfo(bytes_first(rest, (size_t)at), &proxy))
		return complain(ret_text,
				"the proxy's user or password is not valid");
	rest = bytes_from(rest, (size_t)(at + 1));
	slash = bytes_find_byte(rest, '/');
	if (slash >= 0 && (size_t)slash + 1 < rest.len)
		return complain(ret_text, "a proxy has no path");
	if (slash >= 0)
		rest = bytes_first(rest, (size_t)slash);
	error = parse_authority(rest, &proxy, ret_text);
	if (error)
		return error;
	*ret = proxy;
	return 0;
}

/* ---- CONNECT ---- */

/* Basic credentials (RFC 7617). */
static int append_credentials(const struct ses_proxy *proxy, struct ses_buf *out)
{
	char pair[2 * SES_PROXY_TEXT + 1], code[SES_BASE64_LEN(sizeof(pair))];
	int n = snprintf(pair, sizeof(pair), "%s:%s", proxy->user,
			 proxy->password);
	int error = ses_buf_append_str(out, "Proxy-Authorization: Basic ");

	if (!error)
		error = ses_buf_append(
			out, bytes_of(code,
				      ses_base64_encode(
					      bytes_of(pair, (size_t)n), code)));
	if (!error)
		error = ses_buf_append_str(out, "\r\n");
	return error;
}

static bool has_control(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		if (in.data[i] < ' ' || in.data[i] == 0x7f)
			return true;
	return false;
}

int ses_proxy_write_target(struct bytes host, uint16_t port, struct ses_buf *out)
{
	bool v6 = bytes_find_byte(host, ':') >= 0;

	return ses_buf_printf(out, v6 ? "[%.*s]:%u" : "%.*s:%u",
			      BYTES_ARG(host), port);
}

static int append_line(struct ses_buf *out, const char *name, const char *value)
{
	return ses_buf_printf(out, "%s: %s\r\n", name, value);
}

int ses_proxy_write_connect(const struct ses_proxy *proxy, struct bytes host,
			    uint16_t port, const char *user_agent,
			    const char *authorization, struct ses_buf *out)
{
	int error;

	if (!is_host(host) || has_control(bytes_of_str(user_agent)))
		return SESAME_EINVAL;
	error = ses_buf_append_str(out, "CONNECT ");
	if (!error)
		error = ses_proxy_write_target(host, port, out);
	if (!error)
		error = ses_buf_append_str(out, " HTTP/1.1\r\nHost: ");
	if (!error)
		error = ses_proxy_write_target(host, port, out);
	if (!error)
		error = ses_buf_append_str(out, "\r\n");
	if (!error && user_agent)
		error = append_line(out, "User-Agent", user_agent);
	if (!error && authorization)
		error = append_line(out, "Proxy-Authorization", authorization);
	else if (!error && proxy->has_user)
		error = append_credentials(proxy, out);
	return error ? error : ses_buf_append_str(out, "\r\n");
}

/* ---- SOCKS ---- */

int ses_socks_write_greeting(const struct ses_proxy *proxy, struct ses_buf *out)
{
	static const uint8_t with_user[] = {5, 2, NO_AUTHENTICATION,
					    USER_PASSWORD};
	static const uint8_t without[] = {5, 1, NO_AUTHENTICATION};

	if (proxy->has_user)
		return ses_buf_append(out,
				      bytes_of(with_user, sizeof(with_user)));
	return ses_buf_append(out, bytes_of(without, sizeof(without)));
}

/* One length byte and that many bytes; the texts are at most 255 long. */
static int append_counted(struct ses_buf *out, struct bytes in)
{
	uint8_t len = (uint8_t)in.len;
	int error = ses_buf_append(out, bytes_of(&len, 1));

	return error ? error : ses_buf_append(out, in);
}

int ses_socks_write_user(const struct ses_proxy *proxy, struct ses_buf *out)
{
	int error = ses_buf_append(out, bytes_of("\x01", 1));

	if (!error)
		error = append_counted(out, bytes_of_str(proxy->user));
	if (!error)
		error = append_counted(out, bytes_of_str(proxy->password));
	return error;
}

static int append_target(struct bytes host, struct ses_buf *out)
{
	uint8_t target[17];
	char text[INET6_ADDRSTRLEN] = "";
	int error;

	if (host.len < sizeof(text))
		memcpy(text, host.data, host.len);
	if (inet_pton(AF_INET, text, target + 1) == 1) {
		target[0] = TO_IPV4;
		return ses_buf_append(out, bytes_of(target, 5));
	}
	if (inet_pton(AF_INET6, text, target + 1) == 1) {
		target[0] = TO_IPV6;
		return ses_buf_append(out, bytes_of(target, 17));
	}
	target[0] = TO_NAME;
	error = ses_buf_append(out, bytes_of(target, 1));
	return error ? error : append_counted(out, host);
}

int ses_socks_write_request(struct bytes host, uint16_t port,
			    struct ses_buf *out)
{
	uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
	int error;

	if (host.len == 0 || host.len > 255)
		return SESAME_EINVAL;
	error = ses_buf_append(out, bytes_of("\x05\x01\x00", 3));
	if (!error)
		error = append_target(host, out);
	return error ? error : ses_buf_append(out, bytes_of(bytes, 2));
}

static int refuse(const char **ret_text, const char *text)
{
	*ret_text = text;
	return SESAME_EPROXY;
}

static int no_socks(const char **ret_text)
{
	*ret_text = "the proxy does not speak SOCKS 5";
	return SESAME_EPROTO;
}

int ses_socks_read_method(struct bytes in, bool *ret_wants_user,
			  const char **ret_text)
{
	if (in.len > 0 && in.data[0] != 5)
		return no_socks(ret_text);
	if (in.len < 2)
		return 0;
	if (in.data[1] == NONE_ACCEPTABLE)
		return refuse(ret_text,
			      "the proxy accepts none of the ways to log in");
	if (in.data[1] != NO_AUTHENTICATION && in.data[1] != USER_PASSWORD)
		return no_socks(ret_text);
	*ret_wants_user = in.data[1] == USER_PASSWORD;
	return 2;
}

int ses_socks_read_user(struct bytes in, const char **ret_text)
{
	if (in.len > 0 && in.data[0] != 1)
		return no_socks(ret_text);
	if (in.len < 2)
		return 0;
	if (in.data[1] != 0)
		return refuse(ret_text,
			      "the proxy refused user name and password");
	return 2;
}

static const char *reply_text(uint8_t code)
{
	static const char *const texts[] = {
		[1] = "general failure of the proxy",
		[2] = "not allowed by the proxy's rules",
		[3] = "the proxy finds the network unreachable",
		[4] = "the proxy finds the host unreachable",
		[5] = "the proxy was refused the connection",
		[6] = "the connection's time to live ran out",
		[7] = "the proxy does not know CONNECT",
		[8] = "the proxy does not know this kind of address",
	};

	if (code < sizeof(texts) / sizeof(texts[0]) && texts[code])
		return texts[code];
	return "the proxy refused with an unknown code";
}

int ses_socks_read_reply(struct bytes in, const char **ret_text)
{
	size_t len;

	if (in.len > 0 && in.data[0] != 5)
		return no_socks(ret_text);
	if (in.len < 2)
		return 0;
	/* some proxies close right after the code */
	if (in.data[1] != 0)
		return refuse(ret_text, reply_text(in.data[1]));
	if (in.len > 2 && in.data[2] != 0)
		return no_socks(ret_text);
	if (in.len < 5)
		return 0;
	switch (in.data[3]) {
	case TO_IPV4:
		len = 10;
		break;
	case TO_IPV6:
		len = 22;
		break;
	case TO_NAME:
		len = 7 + (size_t)in.data[4];
		break;
	default:
		return no_socks(ret_text);
	}
	return in.len < len ? 0 : (int)len;
}
