/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The losses' weights. SNR = (signal / noise)^2.
 */
#include "diffusion/weight.h"

#include "base/error.h"

#include <math.h>

static double snr(struct mdm_level at)
{
    const double ratio = at.signal / at.noise;

    return ratio * ratio;
}

static double none(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    (void)p;
    (void)at;
    (void)share;
    return 1;
}

/* The error of the noise that follows from the prediction. */
static double noise(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double factor = at.signal / at.noise * share;

    (void)w;
    (void)p;
    return factor * factor;
}

static double x0(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    (void)p;
    (void)at;
    return share * share;
}

/* The error of v, which on a straight path is that of the velocity. */
static double v(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    const double factor = share / fmax(at.noise / p->noise_scale, w->least_noise);

    return factor * factor;
}

/* Hang et al. 2023 (arXiv 2303.09556): min(SNR, gamma) times the error of x0. */
static double min_snr(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)p;
    return fmin(snr(at), w->gamma) * share * share;
}

/* Choi et al. 2022 (arXiv 2204.00227): (k + SNR)^-gamma on top of the prediction's own error. */
static double p2(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)p;
    (void)share;
    return pow(w->offset + snr(at), -w->gamma);
}

/* Karras et al. 2022, table 1: (sigma^2 + sigma_data^2) / (sigma sigma_data)^2 times the error of x0. */
static double edm(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    (void)w;
    return (1 / (p->sigma_data * p->sigma_data) + snr(at)) * share * share;
}

/* Hoogeboom et al. 2024 (arXiv 2410.19324): sigmoid(b - ln SNR) times the error of the noise. */
static double sigmoid(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    return noise(w, p, at, share) / (1 + snr(at) * exp(-w->offset));
}

static const struct mdm_weight_class classes[] = {
    {"none", none},       {"noise", noise}, {"x0", x0},   {"v", v},
    {"min_snr", min_snr}, {"p2", p2},       {"edm", edm}, {"sigmoid", sigmoid},
};

const char *mdm_weight_name(int i)
{
    return (size_t)i < MDM_LENGTH(classes) ? classes[i].name : NULL;
}

const struct mdm_weight_class *mdm_weight_class_at(unsigned i)
{
    return &classes[i];
}

double mdm_weight_of(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share)
{
    return w->kind->of(w, p, at, share);
}
