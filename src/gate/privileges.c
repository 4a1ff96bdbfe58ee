/* SPDX-License-Identifier: MIT */
/*
 * Groups first, then the group, then the user: after the user nothing more can
 * be changed. All threads change together (glibc sees to it). That there is no
 * way back is not believed but tried.
 */
#include "gate/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gate/credential.h"

struct identity {
	uid_t uid;
	gid_t gid;
	const char *name; /* for its further groups; NULL: none */
};

static bool read_id(const char *text, uint32_t *ret)
{
	uint64_t n;

	/* the greatest one means "leave it as it is" to the system */
	if (!bytes_to_u64(bytes_of_str(text), UINT32_MAX - 1, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool find_user(const char *user, struct identity *who)
{
	const struct passwd *pw = getpwnam(user);
	uint32_t uid;

	if (!pw && read_id(user, &uid)) {
		pw = getpwuid(uid);
		who->uid = uid;
		who->gid = uid;
	}
	if (pw) {
		who->uid = pw->pw_uid;
		who->gid = pw->pw_gid;
		who->name = pw->pw_name;
	}
	return pw || read_id(user, &uid);
}

static bool find_group(const char *group, struct identity *who)
{
	const struct group *gr = getgrnam(group);
	uint32_t gid;

	if (gr)
		who->gid = gr->gr_gid;
	else if (read_id(group, &gid))
		who->gid = gid;
	else
		return false;
	return true;
}

static bool is_already(const struct identity *who)
{
	return geteuid() == who->uid && getuid() == who->uid &&
	       getegid() == who->gid && getgid() == who->gid;
}

/* NULL, or what failed. */
static const char *become(const struct identity *who)
{
	int r = who->name ? initgroups(who->name, who->gid) : setgroups(0, NULL);

	if (r < 0)
		return "its groups cannot be taken";
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		return "the group cannot be changed";
	if (setresuid(who->uid, who->uid, who->uid) < 0)
		return "the user cannot be changed";
	errno = 0;
	if (who->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return "root could be had back";
	return NULL;
}

bool gate_privileges_drop(const struct gate_policy *policy, char *text,
			  size_t text_size)
{
	struct identity who = {getuid(), getgid(), NULL};
	const char *wrong;

	if (policy->user && !find_user(policy->user, &who)) {
		snprintf(text, text_size, "user: there is no user %s",
			 policy->user);
		return false;
	}
	if (policy->group && !find_group(policy->group, &who)) {
		snprintf(text, text_size, "group: there is no group %s",
			 policy->group);
		return false;
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if ((!policy->user && !policy->group) || is_already(&who))
		return true;
	wrong = become(&who);
	if (!wrong)
		return true;
	snprintf(text, text_size, "user: cannot go on as %s: %s%s%s%s",
		 policy->user ? policy->user : policy->group, wrong,
		 errno ? ": " : "", errno ? strerror(errno) : "",
		 errno == EPERM ? "; only root can become somebody else" : "");
	return false;
}

/* ---- What a reload will miss ---- */

struct warning {
	gate_warn_fn say;
	void *user;
};

static void warn_of(const struct warning *w, const char *file)
{
	char text[4400];

	if (!file || access(file, R_OK) == 0)
		return;
	snprintf(text, sizeof(text),
		 "as the user that it goes on as, the gateway cannot read %s "
		 "(%s): until it may, every reload will fail",
		 file, strerror(errno));
	w->say(w->user, text);
}

static void warn_of_listener(const struct warning *w,
			     const struct gate_listen *l)
{
	warn_of(w, l->first.certificate);
	warn_of(w, l->first.key);
	for (size_t i = 0; i < l->n_others; i++) {
		warn_of(w, l->others[i].certificate);
		warn_of(w, l->others[i].key);
	}
	warn_of(w, l->client_ca);
}

static void warn_of_token(const struct warning *w,
			  const struct gate_token_settings *s)
{
	if (!s)
		return;
	warn_of(w, s->jwt.key_file.name);
	warn_of(w, s->jwt.secret_file.name);
	warn_of(w, s->jwt.jwks_file.name);
	warn_of(w, s->hashes_file.name);
	warn_of(w, s->htpasswd_file.name);
}

void gate_privileges_warn(const struct gate_policy *policy, gate_warn_fn say,
			  void *user)
{
	struct warning w = {say, user};

	if (!policy->user && !policy->group)
		return;
	warn_of(&w, policy->file);
	warn_of(&w, policy->backplane_ca);
	for (size_t i = 0; i < policy->n_listen; i++)
		warn_of_listener(&w, &policy->listen[i]);
	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct gate_route *route = &policy->route[i];

		warn_of_token(&w, route->token);
		warn_of_token(&w, route->hub.publish);
		warn_of_token(&w, route->hub.read);
		warn_of(&w, route->upstream_tls.ca);
		warn_of(&w, route->upstream_tls.certificate);
		warn_of(&w, route->upstream_tls.key);
	}
}
