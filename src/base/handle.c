/* SPDX-License-Identifier: BSD-2-Clause
 *
 * References and work; see handle.h.
 */
#include "base/handle.h"

#include "base/maker.h"

void mdm_handle_init(struct mdm_handle *h, const struct mdm_handle_kind *kind)
{
    h->kind = kind;
    atomic_init(&h->references, 1);
    atomic_init(&h->calls, 0);
    h->process = mdm_maker_id();
}

void mdm_handle_hold(struct mdm_handle *h)
{
    atomic_fetch_add(&h->references, 1);
}

/* What destroys may call the host once more (a data set's `drop`), which must not come back in. */
void mdm_handle_drop(struct mdm_handle *h)
{
    if (atomic_fetch_sub(&h->references, 1) != 1)
        return;
    atomic_store(&h->calls, MDM_HANDLE_ALONE);
    h->kind->destroy(h);
}

static int refuse(const struct mdm_handle *h)
{
    MDM_TRY(mdm_maker_check(h->process, h->kind->name));
    return mdm_fail(MASKDM_EBUSY,
                    "the %s is at work: it cannot be used from its own callbacks or by two threads at once",
                    h->kind->name);
}

/* The reference comes after the work is taken: a handle that is being destroyed never gains one. */
static int take(struct mdm_work *w, struct mdm_handle *h, int alone)
{
    int calls = 0;

    if (!w->begun)
        mdm_failure_look(&w->before);
    w->begun = 1;
    if (!h)
        return MASKDM_OK;
    if (!alone)
        calls = atomic_load(&h->calls);
    do {
        if (calls == MDM_HANDLE_ALONE || (alone && calls))
            return mdm_work_end(w, refuse(h));
    } while (!atomic_compare_exchange_weak(&h->calls, &calls, alone ? MDM_HANDLE_ALONE : calls + 1));
    mdm_handle_hold(h);
    w->entry[w->count].handle = h;
    w->entry[w->count++].alone = alone;
    return MASKDM_OK;
}

int mdm_work_share(struct mdm_work *w, const struct mdm_handle *h)
{
    return take(w, (struct mdm_handle *)h, 0);
}

int mdm_work_alone(struct mdm_work *w, const struct mdm_handle *h)
{
    return take(w, (struct mdm_handle *)h, 1);
}

int mdm_work_end(struct mdm_work *w, int status)
{
    while (w->count) {
        struct mdm_handle *h = w->entry[--w->count].handle;

        if (w->entry[w->count].alone)
            atomic_store(&h->calls, 0);
        else
            atomic_fetch_sub(&h->calls, 1);
        mdm_handle_drop(h);
    }
    if (status >= 0 && w->begun)
        mdm_failure_restore(&w->before);
    return status;
}
