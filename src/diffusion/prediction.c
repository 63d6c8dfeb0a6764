/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The three predictions and their factors.
 */
#include "diffusion/prediction.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static void target_noise(double abar, double *x0, double *eps)
{
    (void)abar;
    *x0 = 0;
    *eps = 1;
}

static void clean_noise(double abar, double *x, double *p)
{
    *x = sqrt(1 / abar);
    *p = -sqrt(1 / abar - 1);
}

static void target_x0(double abar, double *x0, double *eps)
{
    (void)abar;
    *x0 = 1;
    *eps = 0;
}

static void clean_x0(double abar, double *x, double *p)
{
    (void)abar;
    *x = 0;
    *p = 1;
}

/* v = sqrt(abar) eps - sqrt(1-abar) x0 */
static void target_v(double abar, double *x0, double *eps)
{
    *x0 = -sqrt(1 - abar);
    *eps = sqrt(abar);
}

static void clean_v(double abar, double *x, double *p)
{
    *x = sqrt(abar);
    *p = -sqrt(1 - abar);
}

const struct mdm_prediction mdm_prediction_noise = {"noise", target_noise, clean_noise, 1};
const struct mdm_prediction mdm_prediction_x0 = {"x0", target_x0, clean_x0, 0};
const struct mdm_prediction mdm_prediction_v = {"v", target_v, clean_v, 0};

static const struct mdm_prediction *const predictions[] = {&mdm_prediction_noise, &mdm_prediction_x0,
                                                           &mdm_prediction_v};

const struct mdm_prediction *mdm_prediction_find(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(predictions); i++)
        if (!strcmp(predictions[i]->name, name))
            return predictions[i];
    return NULL;
}
