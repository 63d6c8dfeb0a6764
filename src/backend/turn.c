/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A ticket for each that comes; the owner needs none.
 */
#include "backend/turn.h"

void mdm_turn_init(struct mdm_turn *t)
{
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->changed, NULL);
}

void mdm_turn_free(struct mdm_turn *t)
{
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->mutex);
}

void mdm_turn_enter(struct mdm_turn *t)
{
    pthread_t self = pthread_self();

    pthread_mutex_lock(&t->mutex);
    if (t->depth == 0 || !pthread_equal(t->owner, self)) {
        uint64_t ticket = t->next++;
        while (ticket != t->serving)
            pthread_cond_wait(&t->changed, &t->mutex);
        t->owner = self;
    }
    t->depth++;
    pthread_mutex_unlock(&t->mutex);
}

void mdm_turn_leave(struct mdm_turn *t)
{
    pthread_mutex_lock(&t->mutex);
    if (--t->depth == 0) {
        t->serving++;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->mutex);
}
