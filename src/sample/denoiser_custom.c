/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A function of the host. It sees host memory, and no lock is held while it runs.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/denoiser.h"

struct custom {
    struct mdm_denoiser base;
    maskdm_device *device;
    int64_t values; /* of an image */
    maskdm_denoise_callback denoise;
    void *user;
    int64_t most; /* 0: not ready */
    float *x, *said;
};

static void rest(struct mdm_denoiser *d)
{
    struct custom *c = (struct custom *)d;

    mdm_free(c->x);
    mdm_free(c->said);
    c->x = c->said = NULL;
    c->most = 0;
}

static void release(struct mdm_denoiser *d)
{
    struct custom *c = (struct custom *)d;

    mdm_device_drop(&c->device);
    mdm_free(c);
}

static size_t memory(const struct mdm_denoiser *d)
{
    (void)d;
    return 0;
}

static int wants(const struct mdm_denoiser *d, int64_t most, size_t *bytes)
{
    (void)d;
    (void)most;
    *bytes = 0;
    return MASKDM_OK;
}

static int ready(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside)
{
    struct custom *c = (struct custom *)d;

    (void)batch;
    (void)beside;
    if (c->most == most)
        return MASKDM_OK;
    rest(d);
    c->x = mdm_need((size_t)most, (size_t)c->values * sizeof *c->x, "what a denoiser is given");
    c->said = mdm_need((size_t)most, (size_t)c->values * sizeof *c->said, "what a denoiser says");
    if (c->x && c->said) {
        c->most = most;
        return MASKDM_OK;
    }
    rest(d);
    return MASKDM_ENOMEM;
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct custom *c = (struct custom *)d;
    const size_t bytes = (size_t)(q->batch * c->values) * sizeof *c->x;

    MDM_TRY(mdm_device_download(c->device, c->x, q->x, bytes));
    if (c->denoise(c->user, q->batch, c->x, q->time, q->labels, c->said))
        return mdm_fail(MASKDM_ECANCELED, "the denoiser cancelled sampling");
    return mdm_device_upload(c->device, out, c->said, bytes);
}

static const struct mdm_denoiser_class kind = {ready,   wants,  ask,  rest,
                                               release, memory, NULL, "a function of the host"};

int mdm_denoiser_custom(struct mdm_denoiser **out, maskdm_device *device, int64_t values,
                        maskdm_denoise_callback denoise, void *user)
{
    struct custom *c = mdm_need(1, sizeof *c, "a denoiser");

    *out = NULL;
    if (!c)
        return MASKDM_ENOMEM;
    mdm_device_hold(device);
    *c = (struct custom){.base.kind = &kind, .device = device, .values = values, .denoise = denoise, .user = user};
    *out = &c->base;
    return MASKDM_OK;
}
