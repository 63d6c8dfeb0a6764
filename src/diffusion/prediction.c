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

/* The straight path's velocity, noise_scale eps - x0, or its opposite where time runs to the data. */
static struct mdm_pair target_velocity(const struct mdm_process *p, struct mdm_level at)
{
    (void)at;
    return p->data_last ? (struct mdm_pair){1, -p->noise_scale} : (struct mdm_pair){-1, p->noise_scale};
}

static struct mdm_pair clean_velocity(const struct mdm_process *p, struct mdm_level at)
{
    const double time = at.noise / p->noise_scale;

    return (struct mdm_pair){1, p->data_last ? time : -time};
}

static const struct mdm_prediction predictions[] = {
    {"noise", target_noise, clean_noise, 1},
    {"x0", target_x0, clean_x0, 0},
    {"v", target_v, clean_v, 0},
    {"edm", target_edm, clean_edm, 0},
    {"velocity", target_velocity, clean_velocity, 0},
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
