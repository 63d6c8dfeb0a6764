/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ways of spacing times.
 */
#include "diffusion/spacing.h"

#include "base/error.h"
#include "diffusion/discrete.h"

#include <math.h>
#include <string.h>

/* How far time i is from the most noise towards the least, 0 to 1. A span that ends at the image goes there from the
 * least noise in its last step. */
static double share(const struct mdm_span *s, int64_t i)
{
    const int64_t last = s->end == s->process->first ? s->steps : s->steps - 1;

    return last ? (double)i / (double)last : 0;
}

/* linspace(-1, T-1, S+1) truncated, from its end, in whole numbers: value k is k T / S - 1, and only the first lies
 * below 0, where truncating would not round down. */
static double whole(const struct mdm_span *s, int64_t i)
{
    const int64_t times = (int64_t)s->process->last + 1;

    return (double)((s->steps - i) * times / s->steps - 1);
}

static double even(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;

    return mdm_process_shift(p, p->last * (1 - share(s, i)) + p->first * share(s, i));
}

static double even_ratio(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const double most = p->kind->ratio(p, p->last);

    if (i == 0)
        return p->last;
    return mdm_process_time_of(p, most + share(s, i) * (p->kind->ratio(p, p->first) - most));
}

/* Karras et al. 2022, eq. 5, with rho = 7. */
static double karras(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const double most = exp(p->kind->ratio(p, p->last) / 7), least = exp(p->kind->ratio(p, p->first) / 7);

    if (i == 0)
        return p->last;
    return mdm_process_time_of(p, 7 * log(most + share(s, i) * (least - most)));
}

/* The least of a thousand times: where diffusers' flow matching schedulers stop before the image. */
static const double thousandth = 1e-3;

/* As diffusers' FlowMatchEulerDiscreteScheduler has it for Stable Diffusion 3: both ends are shifted, and all again.
 */
static double sd3(const struct mdm_span *s, int64_t i)
{
    const struct mdm_process *p = s->process;
    const double part = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;

    return mdm_process_shift(p, 1 + part * (mdm_process_shift(p, thousandth) - 1));
}

/* The same with dynamic shifting, as Flux has it: shifted once. */
static double flux(const struct mdm_span *s, int64_t i)
{
    const double part = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;

    return mdm_process_shift(s->process, 1 + part * (thousandth - 1));
}

static const struct mdm_spacing spacings[] = {
    {"whole", MDM_SPACING_WHOLE, whole},       {"time", MDM_SPACING_ANY, even},
    {"logsnr", MDM_SPACING_RATIO, even_ratio}, {"karras", MDM_SPACING_RATIO, karras},
    {"sd3", MDM_SPACING_STRAIGHT, sd3},        {"flux", MDM_SPACING_STRAIGHT, flux},
};

static int has_meaning(const struct mdm_spacing *s, const struct mdm_process *p)
{
    const int has[] = {[MDM_SPACING_ANY] = 1,
                       [MDM_SPACING_WHOLE] = mdm_discrete_schedule(p) != NULL,
                       [MDM_SPACING_STRAIGHT] = p->kind->straight,
                       [MDM_SPACING_RATIO] = !p->kind->straight};

    return has[s->of];
}

const char *mdm_spacing_name(int i)
{
    return i == 0 ? "auto" : (size_t)i <= MDM_LENGTH(spacings) ? spacings[i - 1].name : NULL;
}

int mdm_spacing_choose(const struct mdm_spacing **out, const struct mdm_process *p, unsigned choice, const char *name,
                       const char *said)
{
    const struct mdm_spacing *s = NULL;

    for (unsigned i = 0; i < MDM_LENGTH(spacings); i++)
        if (choice ? choice == i + 1 : !strcmp(spacings[i].name, name))
            s = &spacings[i];
    *out = s;
    if (!has_meaning(s, p))
        return mdm_fail(MASKDM_EINVAL, "%s %s has no meaning for process %s", said, s->name, p->kind->name);
    return MASKDM_OK;
}
