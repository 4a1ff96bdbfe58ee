/* SPDX-License-Identifier: MIT */
/* From the story of a refusal to the line that opens. */
#include "gate/story.h"

#include <stdio.h>

#include "gate/outage.h"

static const char *list_of_check(const char *check)
{
	static const char *const lists[][2] = {
		{"host", "hosts"},
		{"address", "addresses"},
		{"origin", "origins"},
		{"user-agent", "user_agents"},
		{"subprotocol", "subprotocols"},
		{"certificate", "certificates"},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i][0], check) == 0)
			return lists[i][1];
	return NULL;
}

static int advise_path(const struct gate_story *s, struct ses_buf *out)
{
	if (s->status == 400 && s->target[0] != '/')
		return ses_buf_append_str(
			out,
			"The target of the request must begin with a slash: "
			"send the path alone, without\nscheme and host.\n");
	if (s->status == 400)
		return ses_buf_printf(
			out,
			"The path holds %s. Two programs may read such a path "
			"as two different paths, so it\nis refused before any "
			"rule. Write it plainly in the client.\n",
			s->rule);
	return ses_buf_printf(
		out,
		"No route of %s has this path.%s%s%s\n"
		"Correct the path in the client, or add a route.\n",
		s->file, s->nearest[0] ? " The nearest is " : "", s->nearest,
		s->nearest[0] ? "." : "");
}

/* Append @entry, when a list of origins may have it. */
static int put_origin(struct ses_buf *out, const char *scheme,
		      const char *origin)
{
	struct gate_origin_pattern ignored;
	char entry[300];

	snprintf(entry, sizeof(entry), "%s%s", scheme, origin);
	if (gate_origin_pattern_read(bytes_of_str(entry), &ignored))
		return 0;
	return ses_buf_printf(out, ", \"%s\"", entry);
}

/* A list takes the place of the default, so whom that let in is on it too. */
static int advise_default(const struct gate_story *s, const char *entry,
			  struct ses_buf *out)
{
	int r = ses_buf_printf(
		out,
		"Route %s (%s:%u) has no list of origins, so pages of "
		"its own host and clients\nthat send no Origin may "
		"enter. A list takes the place of that default. To let "
		"this\npage in as well, add to that route:\n\n"
		"    allow: {origins: [none",
		s->route, s->file, s->line);

	if (r == 0 && !s->secure)
		r = put_origin(out, "http://", s->host);
	if (r == 0)
		r = put_origin(out, "https://", s->host);
	if (r == 0)
		r = put_origin(out, "", entry);
	return r < 0 ? r : ses_buf_append_str(out, "]}\n");
}

static bool may_be_listed(const char *list, const char *entry)
{
	struct gate_origin_pattern ignored;

	return strcmp(list, "origins") != 0 ||
	       !gate_origin_pattern_read(bytes_of_str(entry), &ignored);
}

static int advise_list(const struct gate_story *s, const char *list,
		       struct ses_buf *out)
{
	bool missing =
		strcmp(s->cause, why_cause(WHY_ACCESS_ORIGIN_MISSING)->id) == 0;
	const char *entry = missing ? "none" : s->compared;

	if (!may_be_listed(list, entry))
		return ses_buf_append_str(
			out, "What was sent is no origin, so no entry can name "
			     "it. Correct it in the client.\n");
	if (s->preset)
		return advise_default(s, entry, out);
	if (s->rule[0] == '!')
		return ses_buf_printf(out,
				      "%s:%u excludes it with %s. To let it "
				      "in, remove or narrow that entry.\n",
				      s->file, s->line, s->rule);
	if (!entry[0])
		return ses_buf_printf(out,
				      "It was not sent, and only \"*\" in the "
				      "list at %s:%u would admit that.\n",
				      s->file, s->line);
	return ses_buf_printf(out,
			      "To let it in, add it to the list at %s:%u:\n\n"
			      "    %s: [..., \"%s\"]\n",
			      s->file, s->line, list, entry);
}

static int advise_content(const struct gate_story *s, struct ses_buf *out)
{
	bool said = strcmp(s->check, GATE_CHECK_MESSAGE) == 0;

	return ses_buf_printf(
		out,
		"%s. Correct it in the\nclient: %s tells what is taken. No "
		"list "
		"of the gateway changes that.\n",
		said ? "The handshake was in order: this is about what was "
		       "sent over the open\nconnection"
		     : "The rules let it in: this is about what was sent to "
		       "the channel by HTTP",
		said ? "docs/sesame.v1.md" : "docs/channels.md");
}

static int advise_frames(struct ses_buf *out)
{
	return ses_buf_append_str(
		out, "The handshake was in order; what the client sent then is "
		     "against the rules of\nWebSocket (RFC 6455), so the "
		     "connection was closed. Correct it in the client, or see\n"
		     "whether something between rewrites what it sends.\n");
}

static int advise_cut(const struct gate_story *s, struct ses_buf *out)
{
	if (!s->check[0] && !s->upstream[0])
		return advise_frames(out);
	if (!s->check[0])
		return ses_buf_append_str(
			out, "Frames are looked at because the route limits "
			     "messages. See what speaks there, and\nwhether it "
			     "is WebSocket.\n");
	return ses_buf_printf(out,
			      "The connection was open; %s:%u limits what is "
			      "sent on it (%s). Raise that if\nsuch messages "
			      "are wanted, or let the client send %s.\n",
			      s->file, s->line, s->rule,
			      s->status == 1009 ? "shorter ones"
						: "fewer of them");
}

static int advise_limit(const struct gate_story *s, struct ses_buf *out)
{
	if (s->preset)
		return ses_buf_printf(out,
				      "%s on route %s (%s:%u). Nobody else is "
				      "kept out, and it passes with time. To "
				      "allow more, give that\nroute a limit:\n"
				      "\n    limits: {failures: 600/minute}\n",
				      s->rule, s->route, s->file, s->line);
	return ses_buf_printf(out,
			      "%s:%u allows no more (%s). Raise that if so "
			      "many are wanted; else the client\nis let in "
			      "again when there is room.\n",
			      s->file, s->line, s->rule);
}

/* What to do about credentials that are no good, by the name of the fault. */
static const char *remedy_of(const char *fault)
{
	static const char *const rows[][2] = {
		{"missing",
		 "Let the client send them where `token.from` looks"},
		{"scheme", "Let the client send what the route takes"},
		{"ambiguous", "Let the client send one alone"},
		{"malformed", "See what the client sends"},
		{"algorithm", "Add the algorithm to `jwt.algorithms` and its "
			      "key, or let the issuer sign by one of them"},
		{"key", "Add the issuer's key to the route's key files"},
		{"signature", "See that the issuer signs with the key that "
			      "the route has"},
		{"expired", "Let the client fetch a new token before it "
			    "connects; `jwt.leeway` is for clocks that differ"},
		{"not-yet-valid", "See the clocks of both machines; "
				  "`jwt.leeway` is for small differences"},
		{"issuer", "Add the token's \"iss\" to `jwt.issuer`, if that "
			   "issuer is to be trusted"},
		{"audience",
		 "Add one of the token's \"aud\" to `jwt.audience`, "
		 "or let it be issued for this gateway"},
		{"claim", "Let the issuer grant the claim, or change "
			  "`jwt.claims`"},
		{"path", "Let the issuer add the path to the token's claim"},
		{"token", "Add the token's digest to `hashes_file`: `printf %s "
			  "TOKEN | sha256sum` writes it"},
		{"password", "Set it anew with `htpasswd -B`"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i][0], fault) == 0)
			return rows[i][1];
	return "See what the client sends";
}

static int advise_token(const struct gate_story *s, struct ses_buf *out)
{
	if (strcmp(s->fault, "missing") == 0)
		return ses_buf_printf(
			out, "%s:%u wants credentials: %s.\n%s%s%s.\n", s->file,
			s->line, s->rule, remedy_of(s->fault),
			s->nearest[0] ? ": " : "", s->nearest);
	return ses_buf_printf(out,
			      "%s:%u wants credentials, and these are no good "
			      "(%s).\n%s.\n",
			      s->file, s->line, s->rule, remedy_of(s->fault));
}

static int advise_publishing(const struct gate_story *s, struct ses_buf *out)
{
	return ses_buf_printf(out,
			      "Who may publish by POST stands in the route at "
			      "%s:%u, once it says so:\n"
			      "  hub: {publish: {hashes_file: tokens.sha256}}\n",
			      s->file, s->line);
}

static int advise_authority(const struct gate_story *s, struct ses_buf *out)
{
	return ses_buf_printf(out,
			      "The server that is asked at %s:%u%s%s did not "
			      "let it in: %s. Its own log\ntells why; no list "
			      "of the gateway changes that.\n",
			      s->file, s->line, s->compared[0] ? ", " : "",
			      s->compared, s->rule);
}

int gate_story_advise(const struct gate_story *s, struct ses_buf *out)
{
	const char *list = list_of_check(s->check);

	if (strcmp(s->check, "path") == 0)
		return advise_path(s, out);
	if (list)
		return advise_list(s, list, out);
	if (strcmp(s->check, "backplane") == 0)
		return gate_outage_advise(s, out);
	if (gate_story_is_content(s))
		return advise_content(s, out);
	if (gate_story_is_cut(s))
		return advise_cut(s, out);
	if (strcmp(s->check, "limits") == 0)
		return advise_limit(s, out);
	if (gate_story_is_method(s) && s->check[0])
		return advise_publishing(s, out);
	if (strcmp(s->check, "token") == 0)
		return advise_token(s, out);
	if (strcmp(s->check, "authority") == 0)
		return advise_authority(s, out);
	if (s->check[0])
		return ses_buf_printf(out,
				      "%s at %s:%u decided, no list: %s. "
				      "`sesame explain %s` tells what this is "
				      "about and what helps.\n",
				      s->check, s->file, s->line, s->rule,
				      s->cause);
	if (s->upstream[0])
		return ses_buf_printf(out,
				      "No rule of the gateway refused this. "
				      "Look at the server behind it, %s.\n",
				      s->upstream);
	return ses_buf_printf(out,
			      "`sesame explain %s` tells what this is "
			      "about and what helps.\n",
			      s->cause);
}
