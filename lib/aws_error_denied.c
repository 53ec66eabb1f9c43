/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/aws_error_denied.h"

#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define PERFORM "not authorized to perform: "
#define ON      "on resource: "

/* "service:Action"; its length, or 0. */
static size_t action_length(const char *s) {
    size_t service = strspn(s, LETTERS DIGITS "-");
    size_t name;

    if (service == 0 || s[service] != ':')
        return 0;
    name = strspn(s + service + 1, LETTERS DIGITS);
    return name > 0 ? service + 1 + name : 0;
}

/* The word up to white space, without the quotes that some services put around it; 0 when there is none, or
 * when the text was cut in it. */
static size_t resource_length(const char **s) {
    bool quoted = **s == '"';
    size_t n;

    *s += quoted;
    n = strcspn(*s, quoted ? "\" " : " ");
    if (quoted && (*s)[n] != '"')
        return 0;
    /* aws_error.h: a message that was too long ends in "...", at times with the request id behind it. */
    if (n >= 3 && strncmp(*s + n - 3, "...", 3) == 0)
        return 0;
    while (n > 0 && strchr(".,;", (*s)[n - 1]))
        n--;
    return n;
}

bool aws_error_denied_action(const AwsError *e, char ret_action[static AWS_ACTION_MAX],
                             char ret_resource[static AWS_RESOURCE_MAX]) {
    const char *action = strstr(e->message, PERFORM), *resource;
    size_t n_action, n_resource = 0;

    if (e->class != AWS_DENIED || !action)
        return false;
    action += strlen(PERFORM);
    n_action = action_length(action);
    if (n_action == 0 || n_action >= AWS_ACTION_MAX)
        return false;
    /* Right behind the action, or else it belongs to something else. */
    resource = action + n_action;
    resource += strspn(resource, " ");
    if (text_starts_with(resource, ON)) {
        resource += strlen(ON);
        n_resource = resource_length(&resource);
    }
    if (n_resource >= AWS_RESOURCE_MAX)
        n_resource = 0;
    (void) text_copy(ret_action, n_action + 1, action);
    (void) text_copy(ret_resource, n_resource + 1, resource);
    return true;
}
