/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How averages of the weights move (ema.c).
 */
#ifndef MASKDM_TRAIN_EMA_H
#define MASKDM_TRAIN_EMA_H

#include "train/options.h"

enum { MDM_WIDTHS = 4 }; /* averages at once, of the kind that has several */

enum mdm_ema_kind { MDM_EMA_EXPONENTIAL, MDM_EMA_POWER, MDM_EMA_HALFLIFE };

struct mdm_ema_rule {
    int type;   /* enum mdm_ema_kind */
    int widths; /* averages; 0: none */
    double decay, inv_gamma, power, halflife, ramp;
    double std[MDM_WIDTHS], exponent[MDM_WIDTHS];
    int64_t start, every; /* updates */
};

/* What an update does to an average; the modes of struct mdm_optimizer. */
enum mdm_ema_mode { MDM_EMA_STAYS, MDM_EMA_COPIES, MDM_EMA_MOVES };

const char *mdm_ema_name(int i); /* of enum mdm_ema_kind; NULL: none */
/* Whether its averages have the profiles of power functions, from which those of other widths can be made. */
int mdm_ema_has_profile(const struct mdm_ema_rule *rule);
/* Update `s` (from 0) of one of the averages: enum mdm_ema_mode, and where it moves its decay. */
int mdm_ema_mode(const struct mdm_ema_rule *rule, int width, int64_t s, double *decay);
/* The exponent of a power function whose profile has this deviation, as a share of its length, and back. */
double mdm_ema_exponent(double std);
double mdm_ema_deviation(double exponent);

/* ---- ema_options.c ---- */
int mdm_ema_read(struct mdm_ema_rule *out, const maskdm_options *o);

/* Profiles: the widest has an exponent of about 0, the narrowest is a thousandth of a run. */
#define MDM_EMA_NARROWEST 0.001
#define MDM_EMA_WIDEST 0.28

#endif
