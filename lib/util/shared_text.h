/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Texts of which many are equal, each kept once in the process, however many hold it. */

/* The text that is kept for this one; whoever calls holds it until shared_text_drop. NULL when out of
 * memory. */
const char *shared_text(const char *text);
/* NULL is fine. Only for what shared_text has given. */
void shared_text_drop(const char *text);
/* Holds the one for `text` in place of *held; NULL, and "" too, is none. 0, or -ENOMEM and it is as before.
 */
int shared_text_set(const char **held, const char *text);
/* That of what is held, "" for none. */
const char *shared_text_or_empty(const char *held);
