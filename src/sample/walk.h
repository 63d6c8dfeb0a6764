/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order in which a sampler does its steps: from the first that is done to the last and, where stretches of them
 * are done more than once, back with new noise and over them again (Lugmayr et al. 2022, RePaint, arXiv 2201.09865,
 * algorithm 1 and appendix: jump length and number of samples).
 */
#ifndef MASKDM_SAMPLE_WALK_H
#define MASKDM_SAMPLE_WALK_H

#include <stdint.h>

struct mdm_walk {
    int64_t first, steps;  /* done at first; of the solver */
    int64_t length, times; /* of a stretch, in steps; how often each is done, 1: once */
    int64_t at;            /* the step that comes next; `steps`: the image */
    int64_t place, left;   /* where it went back from last, and how often it still will */
    int64_t done, jumps;   /* so far */
};

struct mdm_walk mdm_walk_begin(int64_t first, int64_t steps, int64_t length, int64_t times);
/* Step `at` was done. */
void mdm_walk_on(struct mdm_walk *w);
/* By how many steps it has to go back from where it stands, 0: it goes on. `at` is then the step after that. */
int64_t mdm_walk_back(struct mdm_walk *w);
/* Steps from where it stands to the end, before it was asked to go back from there. */
int64_t mdm_walk_left(struct mdm_walk w);

#endif
