/* SPDX-License-Identifier: Apache-2.0 */
/* Comes by credentials as the daemon does, case after case, for test_credentials_oracle.py.
 *
 * Standard input has one JSON object a line: {"environment": {NAME: VALUE}, "configuration": TEXT}. Standard
 * output has one a line for each: {"key", "secret", "token", "expires"}, or {"message"} when there are none.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "daemon/aws_setup.h"
#include "daemon/config/config.h"
#include "lib/util/macros.h"

typedef struct Case {
    sd_event *event;
    json_t *answer;
} Case;

static void die(const char *what) {
    fprintf(stderr, "credentials_helper: %s\n", what);
    exit(EXIT_FAILURE);
}

static void on_credentials(CredentialsStatus status, Credentials *credentials, const char *message,
                           void *userdata) {
    Case *c = userdata;

    if (status == CREDENTIALS_OK)
        c->answer = json_pack("{s:s, s:s, s:s?, s:I}", "key", credentials->access_key_id, "secret",
                              credentials->secret_access_key, "token", credentials->session_token, "expires",
                              (json_int_t)(credentials->expires_usec / USEC_PER_SEC));
    else
        c->answer = json_pack("{s:s}", "message", message);
    (void)sd_event_exit(c->event, 0);
}

static void set_environment(const json_t *variables) {
    const char *name;
    json_t *value;

    clearenv();
    json_object_foreach((json_t *)variables, name, value)(void) setenv(name, json_string_value(value), 1);
}

static json_t *answer_case(const json_t *object) {
    const char *text = json_string_value(json_object_get(object, "configuration"));
    char error[MAX(AWS_SETUP_ERROR_MAX, CONFIG_ERROR_MAX)] = "";
    AwsSetup aws = { 0 };
    Config *config;
    Case c = { 0 };

    set_environment(json_object_get(object, "environment"));
    if (config_parse("trailguard.conf", text, strlen(text), &config, error) < 0)
        return json_pack("{s:s}", "message", error);
    if (sd_event_new(&c.event) < 0)
        die("no event loop");
    if (aws_setup_open(c.event, config, &aws, error) < 0)
        c.answer = json_pack("{s:s}", "message", error);
    else {
        if (credentials_get(aws.credentials, on_credentials, &c) < 0 || sd_event_loop(c.event) < 0)
            die("the loop failed");
        aws_setup_close(&aws);
    }
    sd_event_unref(c.event);
    config_free(config);
    return c.answer;
}

int main(void) {
    sigset_t mask;
    char *line = NULL;
    size_t size = 0;

    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    while (getline(&line, &size, stdin) > 0) {
        json_t *object = json_loads(line, 0, NULL), *answer;

        if (!object)
            die("a line is no JSON");
        answer = answer_case(object);
        if (!answer || json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
            die("an answer cannot be printed");
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(object);
    }
    free(line);
    return EXIT_SUCCESS;
}
