/* SPDX-License-Identifier: MIT */
/* Everything: the client, the server and the protocol core. */
#ifndef SESAME_SESAME_H
#define SESAME_SESAME_H

#include <sesame/client.h>
#include <sesame/conn.h>
#include <sesame/error.h>
#include <sesame/loop.h>
#include <sesame/protocol.h>
#include <sesame/server.h>
#include <sesame/version.h>

#endif
