/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The predictions and their numbers.
 */
#include "diffusion/prediction.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static struct mdm_pair target_noise(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    (void)at;
    return (struct mdm_pair){0, 1};
}

static struct mdm_pair clean_noise(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){1 / at.signal, -at.noise / at.signal};
}

/* The gradient of ln p(x_t | x0), -eps / noise. */
static struct mdm_pair target_score(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){0, -1 / at.noise};
}

static struct mdm_pair clean_score(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){1 / at.signal, at.noise * at.noise / at.signal};
}

/* The same times the noise, as Song et al. 2021 train it. */
static struct mdm_pair target_ve(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    (void)at;
    return (struct mdm_pair){0, -1};
}

static struct mdm_pair clean_ve(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){1 / at.signal, at.noise / at.signal};
}

static struct mdm_pair target_x0(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    (void)at;
    return (struct mdm_pair){1, 0};
}

static struct mdm_pair clean_x0(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    (void)at;
    return (struct mdm_pair){0, 1};
}

/* v = signal eps - noise x0 (Salimans and Ho 2022), where signal^2 + noise^2 = 1. */
static struct mdm_pair target_v(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){-at.noise, at.signal};
}

static struct mdm_pair clean_v(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_pair){at.signal, -at.noise};
}

/* Karras et al. 2022, table 1, c_skip and c_out for x_t / signal: F has the data's deviation of 1 at every level. */
static struct mdm_pair clean_edm(const struct mdm_process *p, struct mdm_level at)
{
    const double data = p->sigma_data, sum = at.noise * at.noise + at.signal * at.signal * data * data;

    return (struct mdm_pair){at.signal * data * data / sum, at.noise * data / sqrt(sum)};
}

static struct mdm_pair target_edm(const struct mdm_process *p, struct mdm_level at)
{
    const struct mdm_pair c = clean_edm(p, at);

    return (struct mdm_pair){(1 - c.a * at.signal) / c.b, -c.a * at.noise / c.b};
}

/* The path's velocity, signal' x0 + noise' eps, or its opposite where time runs to the data. */
static struct mdm_pair target_velocity(const struct mdm_process *p, struct mdm_level at)
{
    const struct mdm_level slope = p->kind->slope(p, at);

    return p->data_last ? (struct mdm_pair){-slope.signal, -slope.noise}
                        : (struct mdm_pair){slope.signal, slope.noise};
}

static struct mdm_pair clean_velocity(const struct mdm_process *p, struct mdm_level at)
{
    const double turn = mdm_process_turn(p, at), part = at.noise / turn;

    return (struct mdm_pair){p->kind->slope(p, at).noise / turn, p->data_last ? part : -part};
}

static const struct mdm_prediction predictions[] = {
    {.name = "noise", .target = target_noise, .clean = clean_noise, .is_noise = 1, .of_noise = 1},
    {.name = "x0", .target = target_x0, .clean = clean_x0},
    {.name = "v", .target = target_v, .clean = clean_v},
    {.name = "edm", .target = target_edm, .clean = clean_edm},
    {.name = "velocity", .target = target_velocity, .clean = clean_velocity},
    {.name = "score", .target = target_score, .clean = clean_score, .of_noise = 1},
    {.name = "ve", .target = target_ve, .clean = clean_ve, .of_noise = 1},
};

const char *mdm_prediction_name(int i)
{
    return i == 0 ? "auto" : (size_t)i <= MDM_LENGTH(predictions) ? predictions[i - 1].name : NULL;
}

/* Whether the list begins with this name. */
static int leads(const char *list, const char *name)
{
    const size_t n = strlen(name);

    return !strncmp(list, name, n) && (list[n] == '|' || !list[n]);
}

int mdm_prediction_choose(const struct mdm_prediction **out, const struct mdm_process *p, unsigned choice,
                          const char *said)
{
    const char *list = p->kind->predictions;

    *out = NULL;
    for (const char *at = list; at && !*out; at = strchr(at, '|'), at += at != NULL)
        for (unsigned i = 0; i < MDM_LENGTH(predictions); i++)
            if (leads(at, predictions[i].name) && (!choice || choice == i + 1))
                *out = &predictions[i];
    if (*out)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %s has no meaning for process %s, which takes %s", said,
                    mdm_prediction_name((int)choice), p->kind->name, list);
}
