/* SPDX-License-Identifier: MIT */
/*
 * What an entry of an allow list matches: an origin, a network, a glob, a
 * path. Pure, and linear in the length of what is compared: a request cannot
 * make matching dear. Patterns are read once, when the configuration is.
 */
#ifndef GATE_MATCH_H
#define GATE_MATCH_H

#include "base/bytes.h"

/* An address of either family: IPv4 is held as ::ffff:a.b.c.d. */
struct gate_address {
	uint8_t bytes[16];
};

/* The IPv4 address of these four bytes. */
struct gate_address gate_address_of_v4(const uint8_t part[4]);
/* Read "192.0.2.1", "::1" or "::ffff:192.0.2.1". False for anything else. */
bool gate_address_read(struct bytes text, struct gate_address *ret);
#define GATE_ADDRESS_TEXT 46 /* of the longest address, with its NUL */
/* "192.0.2.1" or "2001:db8::1". Returns @out. */
char *gate_address_format(const struct gate_address *a,
			  char out[GATE_ADDRESS_TEXT]);

struct gate_network {
	struct gate_address base;
	unsigned prefix; /* bits of the 128 that count */
};

/*
 * Read "192.0.2.0/24", "2001:db8::/32" or a single address. NULL, or what is
 * wrong as a static sentence.
 */
const char *gate_network_read(struct bytes text, struct gate_network *ret);
bool gate_network_has(const struct gate_network *net,
		      const struct gate_address *address);

/* The parts of an origin (RFC 6454); borrowed from its text. */
struct gate_origin {
	struct bytes scheme;
	struct bytes host; /* IPv6 with its brackets */
	unsigned port;	   /* given, or the scheme's default; 0: it has none */
};

/* Read "https://app.example:8443". False for anything else, "null" too. */
bool gate_origin_read(struct bytes text, struct gate_origin *ret);

enum gate_origin_kind {
	GATE_ORIGIN_ANY,      /* "*": any, none and null too */
	GATE_ORIGIN_NONE,     /* "none": no Origin was sent */
	GATE_ORIGIN_NULL,     /* "null": as sandboxed pages send it */
	GATE_ORIGIN_EXACT,    /* scheme, host and port */
	GATE_ORIGIN_WILDCARD, /* any one label before a name */
};

struct gate_origin_pattern {
	enum gate_origin_kind kind;
	struct gate_origin origin; /* of a wildcard the part after "*." */
};

/*
 * Read an entry of an origins list; @text must outlive the pattern. NULL, or
 * what is wrong as a static sentence.
 */
const char *gate_origin_pattern_read(struct bytes text,
				     struct gate_origin_pattern *ret);
/* @origin is the field's value; data NULL: none was sent. */
bool gate_origin_pattern_has(const struct gate_origin_pattern *p,
			     struct bytes origin);
/*
 * As gate_origin_pattern_has(), for an entry that excludes: a page of
 * "https://evil.example." is the same server's, so the dot saves nobody.
 */
bool gate_origin_pattern_excludes(const struct gate_origin_pattern *p,
				  struct bytes origin);
/* A name without the dot of its root: both forms are one host. */
struct bytes gate_without_dot(struct bytes name);
/*
 * Whether @origin names the host and port that @host (a Host field) names, by
 * https where the client came by TLS (@secure), and by http or https where it
 * did not: a gateway behind a TLS proxy may not have been told.
 */
bool gate_origin_is_same(struct bytes origin, struct bytes host, bool secure);

/* Glob: "*" is any run of bytes, all else itself but for ASCII case. */
bool gate_glob_has(struct bytes glob, struct bytes text);

enum gate_path_kind {
	GATE_PATH_EXACT,   /* "/chat" */
	GATE_PATH_SEGMENT, /* one more segment below, not empty */
	GATE_PATH_BELOW,   /* everything below */
};

struct gate_path_pattern {
	enum gate_path_kind kind;
	struct bytes prefix; /* with its last "/"; of EXACT the whole path */
};

/* Read a route's path; as gate_origin_pattern_read(). */
const char *gate_path_pattern_read(struct bytes text,
				   struct gate_path_pattern *ret);
/*
 * @path has no ambiguity; what it encodes ("%40", "%c3") and how does not
 * matter, because it does not to the server behind.
 */
bool gate_path_pattern_has(const struct gate_path_pattern *p,
			   struct bytes path);
/* What of such a path stands in the place of the pattern's "*" or "**". */
struct bytes gate_path_pattern_rest(const struct gate_path_pattern *p,
				    struct bytes path);
/* Whether every path that @b has is one that @a has. */
bool gate_path_pattern_covers(const struct gate_path_pattern *a,
			      const struct gate_path_pattern *b);

/*
 * What makes a request's path ambiguous, as a static phrase, or NULL. Two
 * programs may read such a path as two different paths, so a rule that
 * admitted one of them could open the other.
 */
const char *gate_path_ambiguity(struct bytes path);

#endif
