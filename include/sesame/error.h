/* SPDX-License-Identifier: MIT */
/*
 * Errors that functions return. All are negative; 0 and counts are success.
 * A refusal by a peer is not one of these alone: see struct sesame_end.
 */
#ifndef SESAME_ERROR_H
#define SESAME_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SESAME_API __attribute__((visibility("default")))
#else
#define SESAME_API
#endif

/* X(name, number, what happened) */
#define SESAME_ERRORS(X)                                                       \
	X(SESAME_ENOMEM, -1, "out of memory")                                  \
	X(SESAME_EINVAL, -2, "an argument is not valid")                       \
	X(SESAME_ELIMIT, -3, "a limit set by the caller was reached")          \
	X(SESAME_EPROTO, -4, "the peer broke a rule of the protocol")          \
	X(SESAME_ECLOSED, -5, "the connection is closed or closing")           \
	X(SESAME_ESYSTEM, -6, "the system refused; errno says why")            \
	X(SESAME_ENAME, -7, "the host name does not resolve")                  \
	X(SESAME_ECONNECT, -8, "no connection could be made")                  \
	X(SESAME_EPROXY, -9, "the proxy refused")                              \
	X(SESAME_ETLS, -10, "TLS failed")                                      \
	X(SESAME_ETIMEOUT, -11, "no answer in time")                           \
	X(SESAME_EREFUSED, -12, "the peer refused the handshake")              \
	X(SESAME_EURL, -13, "the URL is not a WebSocket URL")                  \
	X(SESAME_EAGAIN, -14, "not now; try again when told")                  \
	X(SESAME_ERESET, -15, "the connection was reset or cut")

#define SESAME_ERROR_ENUM(name, number, text) name = number,
enum sesame_error { SESAME_ERRORS(SESAME_ERROR_ENUM) };
#undef SESAME_ERROR_ENUM

/*
 * One sentence for an error number, e.g. "out of memory". Never NULL; a
 * static string, for any argument.
 */
SESAME_API const char *sesame_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif
