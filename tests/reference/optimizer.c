/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "optimizer": learning rates by step, Muon with AdamW beside it on given gradients, and averages of given
 * weights.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is(const char *value, const char *other)
{
    return !strcmp(value, other);
}

static double number(struct reference_case *c, const char *key, double absent)
{
    return case_number(c, "optimizer", key, absent);
}

static maskdm_optimizer *make(struct reference_case *c, const char *optimizer, const char *ema)
{
    maskdm_options *o = NULL, *e = NULL;
    maskdm_optimizer *made = NULL;

    if (!case_ok(c, maskdm_options_create(&o, "optimizer"), optimizer) &&
        !case_ok(c, maskdm_options_parse(o, optimizer), optimizer) &&
        !case_ok(c, maskdm_options_create(&e, "ema"), ema) && !case_ok(c, maskdm_options_parse(e, ema), ema))
        case_ok(c, maskdm_optimizer_create(&made, o, e), optimizer);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    return made;
}

/* ---- learning rates ---- */

static void write_wsd(struct reference_case *c, char *out, size_t room)
{
    const double warmup = number(c, "warmup", 0), decay = number(c, "decay", 0), least = number(c, "min_lr_ratio", 0);
    const size_t n =
        (size_t)snprintf(out, room,
                         "lr_schedule=wsd warmup_steps=%.17g lr_steps=%.0f decay_steps=%.0f decay_to=%.17g "
                         "warmup_from=%.17g",
                         warmup, warmup + number(c, "stable", 0) + decay, decay, least, least);

    snprintf(out + n, room - n, " decay_shape=%s", case_value(c, "optimizer", "decay_type", "cosine"));
    snprintf(out + strlen(out), room - strlen(out), " warmup_shape=%s",
             case_value(c, "optimizer", "warmup_type", "linear"));
}

static void write_cosine(struct reference_case *c, char *out, size_t room)
{
    snprintf(out, room, "lr_schedule=cosine warmup_steps=%.17g lr_steps=%.0f decay_to=%.17g", number(c, "warmup", 0),
             number(c, "total", 0), number(c, "min_lr_ratio", 0));
}

static void write_line(struct reference_case *c, char *out, size_t room)
{
    const double warmup = number(c, "warmup", 0), total = number(c, "total", 0);

    snprintf(out, room,
             "lr_schedule=wsd warmup_steps=%.17g lr_steps=%.0f decay_steps=%.0f decay_shape=linear decay_to=%.17g",
             warmup, total, total - warmup, number(c, "min_lr_ratio", 0));
}

static void write_constant(struct reference_case *c, char *out, size_t room)
{
    snprintf(out, room, "warmup_steps=%.17g", number(c, "warmup", 0));
}

/* Images in the program, steps here. */
static void write_inverse_root(struct reference_case *c, char *out, size_t room)
{
    const double after = number(c, "ref_batches", 70e3);
    size_t n =
        (size_t)snprintf(out, room, "warmup_steps=%.17g", number(c, "rampup_Mimg", 10) * 1e6 / number(c, "batch", 1));

    if (after > 0)
        snprintf(out + n, room - n, " lr_schedule=inverse_sqrt decay_after=%.17g", after);
}

static const struct {
    const char *name;
    void (*write)(struct reference_case *c, char *out, size_t room);
} schedules[] = {{"constant", write_constant}, {"constant_with_warmup", write_constant},
                 {"linear", write_line},       {"cosine", write_cosine},
                 {"wsd", write_wsd},           {"edm2", write_inverse_root}};

static void compare_rates(struct reference_case *c)
{
    char name[32], text[320];
    maskdm_optimizer *o;
    int64_t steps = case_dim(c, "expect.lr", 0);
    double *got = malloc((size_t)steps * sizeof *got + 1);
    size_t i = 0;

    snprintf(name, sizeof name, "%s", case_value(c, "optimizer", "schedule", ""));
    while (i < sizeof schedules / sizeof *schedules && !is(schedules[i].name, name))
        i++;
    if (i == sizeof schedules / sizeof *schedules || number(c, "num_cycles", 0.5) != 0.5) {
        snprintf(c->skipped, sizeof c->skipped, "learning rate %s%s is not built", name,
                 i < sizeof schedules / sizeof *schedules ? " of other num_cycles" : "");
        free(got);
        return;
    }
    snprintf(text, sizeof text, "lr=%.17g ", number(c, "lr", 0));
    schedules[i].write(c, text + strlen(text), sizeof text - strlen(text));
    o = make(c, text, "");
    for (int64_t s = 0; o && got && s < steps; s++)
        got[s] = maskdm_optimizer_lr(o, s);
    if (o && got)
        case_compare(c, "expect.lr", got, steps, TENSOR_BOUND);
    maskdm_optimizer_release(&o);
    free(got);
}

/* ---- Muon ---- */

enum { MOST = 16, RANK = 4 };

struct parameters {
    int count;
    char text[MOST][64];
    const char *name[MOST];
    int64_t shape[MOST * RANK], elements[MOST];
    int32_t matrices[MOST];
    float *weights[MOST], *gradients[MOST];
    double *trace[MOST]; /* weights after every step */
};

/* Whether `name` stands in the case's list of those that Muon has. */
static int is_muons(struct reference_case *c, const char *name)
{
    char list[256];

    snprintf(list, sizeof list, "%s", case_value(c, "optimizer", "muon", ""));
    for (char *word = strtok(list, ", "); word; word = strtok(NULL, ", "))
        if (is(word, name))
            return 1;
    return 0;
}

static int read_parameter(struct reference_case *c, struct parameters *p, const char *tensor, int64_t steps)
{
    const int i = p->count;
    char name[128];
    int rank;

    if (i == MOST)
        return -1;
    snprintf(p->text[i], sizeof p->text[i], "%s", tensor + strlen("param."));
    p->name[i] = p->text[i];
    rank = maskdm_file_shape(c->file, maskdm_file_find(c->file, tensor), p->shape + i * RANK, RANK);
    p->matrices[i] = rank > 1 && is_muons(c, p->text[i]);
    p->weights[i] = case_f32(c, tensor, &p->elements[i]);
    snprintf(name, sizeof name, "input.grad.%s", p->text[i]);
    p->gradients[i] = case_f32(c, name, NULL);
    p->trace[i] = malloc((size_t)(steps * p->elements[i]) * sizeof *p->trace[i] + 1);
    p->count++;
    return p->weights[i] && p->gradients[i] && p->trace[i] ? 0 : -1;
}

static int read_parameters(struct reference_case *c, struct parameters *p, int64_t *steps)
{
    *steps = 0;
    for (int64_t i = 0; i < maskdm_file_count(c->file); i++) /* of the first gradient's first dimension */
        if (!strncmp(maskdm_file_name(c->file, i), "input.grad.", 11))
            *steps = case_dim(c, maskdm_file_name(c->file, i), 0);
    for (int64_t i = 0; i < maskdm_file_count(c->file); i++)
        if (!strncmp(maskdm_file_name(c->file, i), "param.", 6) &&
            read_parameter(c, p, maskdm_file_name(c->file, i), *steps))
            return -1;
    return *steps > 0 && p->count ? 0 : -1;
}

static const char *const scales[][2] = {{"original", "original"},
                                        {"match_rms_adamw", "match_rms"},
                                        {"grad_last_two_dims", "kernel"},
                                        {"null", "original"}};

/* The library's polynomial is the programs' own. */
static int is_usual(struct reference_case *c)
{
    static const double usual[] = {3.4445, -4.775, 2.0315};
    char *at = (char *)case_value(c, "optimizer", "ns_coefficients", "3.4445, -4.775, 2.0315");

    for (size_t i = 0; i < 3; i++) {
        if (strtod(at, &at) != usual[i])
            return 0;
        at += strspn(at, ", ");
    }
    return 1;
}

static maskdm_optimizer *make_muon(struct reference_case *c)
{
    char text[640], betas[64], scale[32];
    const char *comma;

    if (!is_usual(c)) {
        snprintf(c->skipped, sizeof c->skipped, "a Muon of other ns_coefficients is not built");
        return NULL;
    }
    snprintf(betas, sizeof betas, "%s", case_value(c, "optimizer", "adamw_betas", "0.9, 0.95"));
    comma = strchr(betas, ',');
    snprintf(scale, sizeof scale, "%s", case_value(c, "optimizer", "adjust_lr_fn", "null"));
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
        if (is(scale, scales[i][0])) {
            snprintf(scale, sizeof scale, "%s", scales[i][1]);
            break;
        }
    snprintf(text, sizeof text,
             "optimizer=muon clip_norm=0 lr=%.17g beta1=%.17g beta2=%.17g eps=%.17g weight_decay=%.17g muon_lr=%.17g "
             "muon_weight_decay=%.17g muon_momentum=%.17g muon_steps=%.0f muon_scale=%s muon_nesterov=",
             number(c, "adamw_lr", 0), strtod(betas, NULL), comma ? strtod(comma + 1, NULL) : 0.95,
             number(c, "adamw_eps", 1e-8), number(c, "adamw_weight_decay", 0), number(c, "lr", 0),
             number(c, "weight_decay", 0), number(c, "momentum", 0.95), number(c, "ns_steps", 5), scale);
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s", case_value(c, "optimizer", "nesterov", "true"));
    return make(c, text, "decay=0");
}

static int step(struct reference_case *c, maskdm_optimizer *o, struct parameters *p, int64_t s)
{
    for (int i = 0; i < p->count; i++)
        if (case_ok(c, maskdm_optimizer_set_gradient(o, i, p->gradients[i] + s * p->elements[i], p->elements[i]),
                    p->text[i]))
            return -1;
    if (case_ok(c, maskdm_optimizer_step(o), "a step"))
        return -1;
    for (int i = 0; i < p->count; i++) {
        if (case_ok(c, maskdm_optimizer_weights(o, i, p->weights[i], p->elements[i]), p->text[i]))
            return -1;
        for (int64_t k = 0; k < p->elements[i]; k++)
            p->trace[i][s * p->elements[i] + k] = p->weights[i][k];
    }
    return 0;
}

static void compare_muon(struct reference_case *c)
{
    struct parameters p = {0};
    maskdm_optimizer *o = make_muon(c);
    int64_t steps, s = 0;

    if (o && !read_parameters(c, &p, &steps) &&
        !case_ok(c,
                 maskdm_optimizer_bind(o, c->device, p.count, p.name, p.shape, p.matrices,
                                       (const float *const *)p.weights),
                 "binding")) {
        while (s < steps && !step(c, o, &p, s))
            s++;
        for (int i = 0; s == steps && i < p.count; i++) {
            char name[128];

            snprintf(name, sizeof name, "expect.param.%s", p.text[i]);
            c->coarse = p.matrices[i] ? c->muon : 0;
            case_compare(c, name, p.trace[i], steps * p.elements[i], TENSOR_BOUND);
        }
    }
    for (int i = 0; i < p.count; i++) {
        free(p.weights[i]);
        free(p.gradients[i]);
        free(p.trace[i]);
    }
    maskdm_optimizer_release(&o);
}

/* ---- averages ---- */

/* Update after update of zeros by the weights of the case. trace[updates,widths,D] */
static int follow(struct reference_case *c, maskdm_optimizer *o, int64_t updates, int64_t n, double *trace,
                  double *decays)
{
    const int64_t shape[RANK] = {n}, widths = maskdm_optimizer_widths(o);
    static const char *const name[] = {"weight"};
    float *weight = case_f32(c, "input.weight", NULL), *average = malloc((size_t)n * sizeof *average + 1);
    int bad = !weight || !average || case_ok(c, maskdm_optimizer_bind(o, c->device, 1, name, shape, NULL, NULL), "");

    for (int64_t u = 0; u < updates && !bad; u++) {
        bad = case_ok(c, maskdm_optimizer_set_weights(o, 0, weight + u * n, n), "weights") ||
              case_ok(c, maskdm_optimizer_update_ema(o), "an update");
        for (int64_t w = 0; w < widths && !bad; w++) {
            decays[u * widths + w] = maskdm_optimizer_decay(o, w, u);
            bad = case_ok(c, maskdm_optimizer_average(o, w, 0, average, n), "an average");
            for (int64_t k = 0; k < n; k++)
                *trace++ = average[k];
        }
    }
    free(weight);
    free(average);
    return bad;
}

static void compare_averages(struct reference_case *c, const char *text)
{
    maskdm_optimizer *o = make(c, "", text);
    const int64_t updates = case_dim(c, "input.weight", 0), n = case_dim(c, "input.weight", 1);
    const int64_t widths = o ? maskdm_optimizer_widths(o) : 0;
    double *trace = malloc((size_t)(updates * widths * n) * sizeof *trace + 1);
    double *decays = malloc((size_t)(updates * widths) * sizeof *decays + 1);

    if (o && trace && decays && !follow(c, o, updates, n, trace, decays)) {
        case_compare(c, "expect.ema", trace, updates * widths * n, TENSOR_BOUND);
        if (case_has(c, "expect.beta"))
            case_compare(c, "expect.beta", decays, updates * widths, TENSOR_BOUND);
    }
    maskdm_optimizer_release(&o);
    free(trace);
    free(decays);
}

/* The coefficients of one average after the other, and what they make of the snapshots. */
static void compare_afterwards(struct reference_case *c)
{
    int64_t in, out;
    const int64_t n = case_dim(c, "input.snapshot", 1);
    double *std = case_f64(c, "input.snapshot_std", &in), *at = case_f64(c, "input.snapshot_nimg", NULL);
    double *out_std = case_f64(c, "input.out_std", &out), *out_at = case_f64(c, "input.out_nimg", NULL);
    double *snapshot = case_f64(c, "input.snapshot", NULL), *got = malloc((size_t)in * sizeof *got + 1);
    double *all = calloc((size_t)(in * out) + 1, sizeof *all), *made = calloc((size_t)(out * n) + 1, sizeof *made);

    for (int64_t k = 0; std && at && out_std && out_at && snapshot && got && all && made && k < out; k++) {
        if (case_ok(c, maskdm_average_coefficients(in, at, std, out_at[k], out_std[k], got), "coefficients"))
            break;
        for (int64_t i = 0; i < in; i++) {
            all[i * out + k] = got[i];
            for (int64_t e = 0; e < n; e++)
                made[k * n + e] += got[i] * snapshot[i * n + e];
        }
    }
    if (all && made && !c->failed) {
        case_compare(c, "expect.coefficients", all, in * out, TENSOR_BOUND);
        case_compare(c, "expect.reconstruction", made, out * n, TENSOR_BOUND);
    }
    free(std);
    free(at);
    free(out_std);
    free(out_at);
    free(snapshot);
    free(got);
    free(all);
    free(made);
}

static void compare_exponents(struct reference_case *c, const char *stds)
{
    int64_t count = case_dim(c, "expect.exponent", 0);
    double got[MOST];
    char *at = (char *)stds;

    for (int64_t i = 0; i < count && i < MOST; i++) {
        got[i] = maskdm_average_exponent(strtod(at, &at));
        at += strspn(at, ", ");
    }
    case_compare(c, "expect.exponent", got, count < MOST ? count : MOST, TENSOR_BOUND);
}

static void compare_power(struct reference_case *c)
{
    char stds[128], text[192];
    size_t n = 0;

    snprintf(stds, sizeof stds, "%s", case_value(c, "optimizer", "stds", "0.05, 0.1"));
    snprintf(text, sizeof text, "type=power std=");
    n = strlen(text);
    for (const char *s = stds; *s && n + 1 < sizeof text; s++)
        if (*s != ' ')
            text[n++] = *s;
    text[n] = '\0';
    compare_averages(c, text);
    compare_exponents(c, stds);
    if (case_has(c, "expect.coefficients"))
        compare_afterwards(c);
}

/* Images in the program, steps here. */
static void compare_halflife(struct reference_case *c)
{
    char text[192];

    snprintf(text, sizeof text, "type=halflife halflife=%.17g ramp=%.17g",
             number(c, "halflife_Mimg", 0) * 1e6 / number(c, "batch", 1), number(c, "rampup_ratio", 0));
    compare_averages(c, text);
}

static const struct {
    const char *type;
    void (*run)(struct reference_case *c);
} types[] = {
    {"lr", compare_rates}, {"muon", compare_muon}, {"power_ema", compare_power}, {"halflife_ema", compare_halflife}};

void case_optimizer(struct reference_case *c)
{
    char type[32];

    snprintf(type, sizeof type, "%s", case_value(c, "optimizer", "type", ""));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is(types[i].type, type)) {
            types[i].run(c);
            return;
        }
    snprintf(c->skipped, sizeof c->skipped, "optimizer %s is not built", type);
}
