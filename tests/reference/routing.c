/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "routing": as kind "network", with the tokens that a step takes past blocks as the case has them; what the
 * network makes of the same images when nothing is left out; and what guides it then.
 */
#include "architecture.h"

#include <ctype.h>
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

/* ---- snap-research/Sprint: SiT in three parts ---- */

/* Which of some words a setting is, in small letters or large ones; -1: none of them. */
static int choose(struct reference_case *c, const char *key, const char *absent, const char *const *words, int count)
{
    const char *value = case_value(c, "network", key, absent);

    for (int i = 0; i < count; i++) {
        size_t n = strlen(value);

        if (n != strlen(words[i]))
            continue;
        while (n > 0 && tolower((unsigned char)value[n - 1]) == words[i][n - 1])
            n--;
        if (n == 0)
            return i;
    }
    return -1;
}

static int is_true(struct reference_case *c, const char *key, const char *absent)
{
    return !strcmp(case_value(c, "network", key, absent), "true");
}

static int refuse(struct reference_case *c, const char *what)
{
    snprintf(c->skipped, sizeof c->skipped, "a SiT %s is not built", what);
    return -1;
}

/* What of the program's settings the library's network has no option for. */
static int check_sprint(struct reference_case *c)
{
    static const char *const rope[] = {"rope", "xpos"}, *const normal[] = {"normal"},
                             *const join[] = {"concat_linear"};

    if (case_number(c, "network", "class_dropout_prob", 0.1) <= 0)
        return refuse(c, "without a null class");
    if (choose(c, "rel_pos_embed", "rope", rope, 2) < 0 || choose(c, "custom_freqs", "normal", normal, 1) < 0 ||
        case_number(c, "network", "rope_theta", 10000) != 10000 || is_true(c, "add_rel_pe_to_v", "false") ||
        is_true(c, "online_rope", "false"))
        return refuse(c, "with other positions");
    if (choose(c, "residual_type", "concat_linear", join, 1) < 0 || !is_true(c, "use_mask_restore", "true"))
        return refuse(c, "without the join");
    if (is_true(c, "representation_align", "false"))
        return refuse(c, "with a foreign encoder");
    return 0;
}

/* The share of the patches that its deep blocks do not see, by how many it keeps. */
static double find_drop(struct reference_case *c)
{
    const int64_t kept = case_dim(c, "input.keep", 1), all = case_dim(c, "input.restore", 1);

    return kept > 0 && kept < all ? 1 - ((double)kept + 0.5) / (double)all : 0;
}

static int describe_sprint(struct reference_case *c, char *text, size_t size)
{
    static const char *const norms[] = {"layernorm", "rmsnorm", "w_rmsnorm"}, *const heads[] = {"null", "none",
                                                                                                "rmsnorm",
                                                                                                "w_rmsnorm"};
    static const char *const adaln[] = {"normal", "lora", "swiglu"};
    const int norm = choose(c, "norm_type", "layernorm", norms, 3), q = choose(c, "q_norm", "null", heads, 4);
    const int k = choose(c, "k_norm", "null", heads, 4), kind = choose(c, "adaln_type", "normal", adaln, 3);

    if (check_sprint(c))
        return -1;
    if (norm < 0 || q < 0 || k < 0 || (q > 1) != (k > 1))
        return refuse(c, "with other norms");
    snprintf(
        text, size,
        "image_size=%.0f patch_size=%.0f channels=%.0f dim=%.0f heads=%.0f mlp_ratio=%.17g classes=%.0f "
        "encoder_depth=%.0f middle_depth=%.0f decoder_depth=%.0f norm=%s qk_norm=%s mlp=%s qkv_bias=%s ffn_bias=%s "
        "adaln_bias=%s adaln=%s adaln_lora_dim=%.0f learn_sigma=%s sprint_drop=%.17g sprint_subset=random "
        "path_drop=%.17g train_filler=true",
        case_number(c, "network", "context_size", 32), case_number(c, "network", "patch_size", 2),
        case_number(c, "network", "in_channels", 4), case_number(c, "network", "hidden_size", 1152),
        case_number(c, "network", "num_heads", 16), case_number(c, "network", "mlp_ratio", 4),
        case_number(c, "network", "num_classes", 1000), case_number(c, "network", "encoder_depth", 2),
        case_number(c, "network", "middle_depth", 24), case_number(c, "network", "decoder_depth", 2),
        norm ? "rmsnorm" : "layernorm", q > 1 ? "true" : "false",
        !is_true(c, "use_swiglu", "false")        ? "gelu"
        : is_true(c, "use_swiglu_large", "false") ? "swiglu_large"
                                                  : "swiglu",
        is_true(c, "qkv_bias", "true") ? "true" : "false", is_true(c, "ffn_bias", "true") ? "true" : "false",
        is_true(c, "adaln_bias", "true") ? "true" : "false", adaln[kind < 0 ? 0 : kind],
        case_number(c, "network", "adaln_lora_dim", 1), is_true(c, "learn_sigma", "false") ? "true" : "false",
        find_drop(c), case_has(c, "input.path_drop") ? 0.5 : 0.0);
    return 0;
}

static int set_sprint(struct reference_case *c, const struct architecture *s)
{
    double *dropped;
    int32_t mark[64];
    int64_t count;
    int status = case_has(c, "input.keep") ? set_route(c, s, "input.keep", 0) : 0;

    if (status || !case_has(c, "input.path_drop"))
        return status;
    dropped = case_f64(c, "input.path_drop", &count);
    if (dropped && count <= 64 && count == s->batch) {
        for (int64_t i = 0; i < count; i++)
            mark[i] = dropped[i] != 0;
        status = case_ok(c, maskdm_trainer_set_path_drop(s->trainer, mark), "input.path_drop");
    }
    free(dropped);
    return dropped ? status : -1;
}

/* The images twice, the second time as what guides: without labels and deep blocks. */
static void compare_guidance(struct reference_case *c, const struct architecture *s)
{
    const int64_t n = s->batch * s->outputs * s->height * s->width;
    float *both = malloc((size_t)(2 * n) * sizeof *both + 1);

    if (!case_ok(
            c, maskdm_model_predict(s->model, MASKDM_WEIGHTS_EMA, s->batch, s->x, s->times, s->labels, NULL, 0, both),
            "predict") &&
        !case_ok(c,
                 maskdm_model_predict_shallow(s->model, MASKDM_WEIGHTS_EMA, s->batch, s->x, s->times, NULL, both + n),
                 "predict without the deep blocks"))
        case_compare_images(c, "expect.path_drop_guidance", both, TENSOR_BOUND);
    free(both);
}

/* ---- both ---- */

static const struct {
    const char *name, *kind; /* the program's word for it, and ours */
    architecture_describe describe;
    int (*set)(struct reference_case *c, const struct architecture *s);
} programs[] = {{"tread_dit", "dit", describe_tread, set_tread}, {"sprint_sit", "sit", describe_sprint, set_sprint}};

static void run(struct reference_case *c, size_t i)
{
    struct architecture s = {0};

    if (!architecture_open(c, &s, programs[i].kind, programs[i].describe) && !programs[i].set(c, &s) &&
        !architecture_forward(c, &s)) {
        architecture_predict(c, &s, s.model, "expect.dense");
        if (case_has(c, "expect.path_drop_guidance"))
            compare_guidance(c, &s);
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
