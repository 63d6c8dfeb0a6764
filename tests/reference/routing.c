/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "routing": as kind "network", with the tokens that a step takes past blocks as the case has them; what the
 * network makes of the same images when nothing is left out; and what guides it then.
 */
#include "architecture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- CompVis/tread: DiT whose `routes` each name their blocks ---- */

/* The number behind `key` in an object of a list's text; the text goes on behind it. */
static double take_number(const char **text, const char *key)
{
    const char *at = strstr(*text, key);
    char *end;
    double x;

    if (!at)
        return -1;
    at += strlen(key);
    x = strtod(at + strspn(at, ": "), &end);
    *text = end;
    return x;
}

static double find_number(const char *text, const char *key)
{
    return take_number(&text, key);
}

/* "FIRST-LAST:RATIO,..." */
static void describe_routes(struct reference_case *c, char *text, size_t size)
{
    const char *rest = case_value(c, "network", "routes", "");
    size_t n = 0;

    *text = '\0';
    for (const char *object = strchr(rest, '{'); object && n < size; object = strchr(object + 1, '{'))
        n += (size_t)snprintf(text + n, size - n, "%s%.0f-%.0f:%.17g", n ? "," : "",
                              find_number(object, "start_layer_idx"), find_number(object, "end_layer_idx"),
                              find_number(object, "selection_ratio"));
}

static int describe_tread(struct reference_case *c, char *text, size_t size)
{
    char routes[512];
    size_t n;

    if (strcmp(case_value(c, "network", "cond_mode", "adaln"), "adaln") != 0) {
        snprintf(c->skipped, sizeof c->skipped, "a DiT without conditions is not built");
        return -1;
    }
    if (architecture_dit(c, text, size))
        return -1;
    describe_routes(c, routes, sizeof routes);
    n = strlen(text);
    /* This program's own default, which DiT's is not. */
    snprintf(text + n, size - n, " learn_sigma=%s%s%s",
             strcmp(case_value(c, "network", "learn_sigma", "false"), "true") ? "false" : "true",
             *routes ? " routes=" : "", routes);
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Attention knows no order, so that a case's may be any; the library's is rising. */
static int set_route(struct reference_case *c, const struct architecture *s, const char *name, int64_t route)
{
    int64_t count;
    double *theirs = case_f64(c, name, &count);
    int32_t *keep = malloc((size_t)(theirs ? count : 0) * sizeof *keep + 1);
    const int64_t routed = maskdm_trainer_routed(s->trainer, route);
    int status = -1;

    if (theirs && count != s->batch * routed) {
        case_fail(c, "%s has %lld places, and route %lld takes %lld of each image", name, (long long)count,
                  (long long)route, (long long)routed);
    } else if (theirs) {
        for (int64_t i = 0; i < count; i++)
            keep[i] = (int32_t)theirs[i];
        for (int64_t b = 0; b < s->batch; b++)
            qsort(keep + b * routed, (size_t)routed, sizeof *keep, compare_places);
        status = case_ok(c, maskdm_trainer_set_route(s->trainer, route, keep), name);
    }
    free(theirs);
    free(keep);
    return status;
}

static int set_tread(struct reference_case *c, const struct architecture *s)
{
    for (int64_t i = 0;; i++) {
        char name[32];

        snprintf(name, sizeof name, "input.keep_%lld", (long long)i);
        if (!case_has(c, name))
            return 0;
        if (set_route(c, s, name, i))
            return -1;
    }
}

/* ---- both ---- */

static const struct {
    const char *name, *kind; /* the program's word for it, and ours */
    architecture_describe describe;
    int (*set)(struct reference_case *c, const struct architecture *s);
} programs[] = {{"tread_dit", "dit", describe_tread, set_tread}};

static void run(struct reference_case *c, size_t i)
{
    struct architecture s = {0};

    if (!architecture_open(c, &s, programs[i].kind, programs[i].describe) && !programs[i].set(c, &s) &&
        !architecture_forward(c, &s)) {
        architecture_predict(c, &s, s.model, "expect.dense");
        architecture_backward(c, &s);
    }
    architecture_close(&s);
}

void case_routing(struct reference_case *c)
{
    const char *name = maskdm_file_metadata(c->file, "architecture");
    size_t i = 0;

    while (name && i < sizeof programs / sizeof *programs && strcmp(programs[i].name, name) != 0)
        i++;
    if (name && i < sizeof programs / sizeof *programs)
        run(c, i);
    else
        snprintf(c->skipped, sizeof c->skipped, "routing of %s is not built", name ? name : "(none)");
}
