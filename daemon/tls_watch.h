/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Looks once a minute whether this process can still connect over TLS, and ends it if it never will. */

#include "daemon/tables.h"

/* From now on; again after each reload, with the new HTTP client. */
void engine_watch_tls(Engine *engine);
