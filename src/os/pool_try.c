/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A parallel loop whose body may fail.
 */
#include "base/error.h"
#include "os/pool.h"

#include <pthread.h>

struct trial {
    mdm_try_body body;
    void *arg;
    pthread_mutex_t lock; /* of what follows */
    struct mdm_failure failure;
    int64_t failed; /* lowest index that did */
};

static void try_one(void *arg, int64_t i, int worker)
{
    struct trial *t = arg;
    int status = t->body(t->arg, i, worker);

    if (status >= 0)
        return;
    pthread_mutex_lock(&t->lock);
    if (!t->failure.code || i < t->failed) {
        mdm_failure_take(&t->failure, status);
        t->failed = i;
    }
    pthread_mutex_unlock(&t->lock);
}

int mdm_pool_try(struct mdm_pool *p, int64_t n, mdm_try_body body, void *arg)
{
    struct trial t = {.body = body, .arg = arg};
    int status;

    if (pthread_mutex_init(&t.lock, NULL))
        return mdm_fail(MASKDM_ENOMEM, "the system has no lock left for a loop");
    status = mdm_pool_run(p, n, try_one, &t);
    pthread_mutex_destroy(&t.lock);
    MDM_TRY(status);
    return mdm_failure_record(&t.failure);
}
