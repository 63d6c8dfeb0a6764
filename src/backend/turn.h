/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking turns: first come, first served, and whoever has the turn may enter again.
 */
#ifndef MASKDM_BACKEND_TURN_H
#define MASKDM_BACKEND_TURN_H

#include <pthread.h>
#include <stdint.h>

struct mdm_turn {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t owner;
    int depth;
    uint64_t next, serving;
};

void mdm_turn_init(struct mdm_turn *t);
void mdm_turn_free(struct mdm_turn *t);
void mdm_turn_enter(struct mdm_turn *t);
void mdm_turn_leave(struct mdm_turn *t);

#endif
