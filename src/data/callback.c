/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images that the host makes when asked. Its function runs on the thread that called the API, never on a loader
 * thread, so it may use an interpreter or whatever else belongs to that thread.
 */
#include "data/data.h"

struct callback {
    maskdm_data base;
    maskdm_data_fetch_callback fetch;
    maskdm_drop_callback drop;
    void *user;
};

static int get(maskdm_data *data, int64_t i, float *image, int32_t *label)
{
    struct callback *c = (struct callback *)data;

    if (c->fetch(c->user, i, image, label))
        return mdm_fail(MASKDM_ECANCELED, "the host's data function stopped at image %lld", (long long)i);
    if (*label < -1)
        return mdm_fail(MASKDM_EINVAL, "label %d of image %lld: -1 is none, classes start at 0", (int)*label,
                        (long long)i);
    return MASKDM_OK;
}

static void finish(maskdm_data *data)
{
    struct callback *c = (struct callback *)data;

    if (c->drop)
        c->drop(c->user);
}

static const struct mdm_data_class kind = {.get = get, .close = finish};

int mdm_data_callback(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                      int channels, maskdm_data_fetch_callback fetch, maskdm_drop_callback drop, void *user)
{
    struct callback *c;

    *out = NULL;
    MDM_TRY(mdm_data_begin(&c, sizeof *c, &kind, device, count, height, width, channels));
    c->base.callers = 1;
    c->fetch = fetch;
    c->drop = drop;
    c->user = user;
    *out = &c->base;
    return MASKDM_OK;
}
