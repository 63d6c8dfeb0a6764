/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flags and callbacks of the host; see control.h.
 */
#include "base/control.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <math.h>

#define TELL_EVERY 0.1 /* seconds between reports of files read */

static const struct mdm_log silence = {0};
static void destroy(void *object)
{
    mdm_control_set_comm(object, NULL);
    mdm_free(object);
}

static const struct mdm_handle_kind kind = {"control", destroy};

int mdm_control_make(maskdm_control **out)
{
    maskdm_control *c = mdm_need(1, sizeof *c, "a control handle");

    *out = NULL;
    if (!c)
        return MASKDM_ENOMEM;
    mdm_handle_init(&c->handle, &kind);
    atomic_init(&c->stop, 0);
    atomic_init(&c->cancel, 0);
    atomic_init(&c->save, 0);
    *out = c;
    return MASKDM_OK;
}

void mdm_control_hold(maskdm_control *c)
{
    if (c)
        mdm_handle_hold(&c->handle);
}

void mdm_control_drop(maskdm_control **control)
{
    maskdm_control *c = *control;

    *control = NULL;
    if (c)
        mdm_handle_drop(&c->handle);
}

const atomic_int *mdm_control_cancel_flag(const maskdm_control *c)
{
    return c ? &c->cancel : NULL;
}

int mdm_control_stopping(const maskdm_control *c)
{
    return c && (atomic_load(&c->stop) || atomic_load(&c->cancel));
}

void mdm_control_lower(maskdm_control *c)
{
    if (!c)
        return;
    atomic_store(&c->stop, 0);
    atomic_store(&c->cancel, 0);
    atomic_store(&c->save, 0);
}

void mdm_control_want_save(maskdm_control *c)
{
    if (c)
        atomic_store(&c->save, 1);
}

int mdm_control_wants_save(maskdm_control *c)
{
    return c && atomic_exchange(&c->save, 0);
}

int mdm_control_canceled(maskdm_control *c, const char *what)
{
    mdm_control_lower(c);
    return mdm_fail(MASKDM_ECANCELED, "%s was cancelled", what);
}

int mdm_control_check(maskdm_control *c, const char *what)
{
    return mdm_control_stopping(c) ? mdm_control_canceled(c, what) : MASKDM_OK;
}

struct maskdm_progress mdm_progress_blank(void)
{
    const struct maskdm_progress p = {.struct_size = sizeof p,
                                      .loss = NAN,
                                      .lr = NAN,
                                      .grad_norm = NAN,
                                      .held_out_loss = NAN,
                                      .images_per_second = NAN,
                                      .seconds_left = NAN};

    return p;
}

void mdm_control_report(maskdm_control *c, const struct maskdm_progress *progress)
{
    if (c && c->progress && !c->hushed && !c->muted && c->progress(c->progress_user, progress))
        atomic_store(&c->stop, 1);
}

void mdm_control_hush(maskdm_control *c, int hushed)
{
    if (c)
        c->hushed = hushed;
}

void mdm_control_mute(maskdm_control *c, int muted)
{
    if (c)
        c->muted = muted;
}

void mdm_control_set_comm(maskdm_control *c, struct mdm_handle *comm)
{
    if (comm)
        mdm_handle_hold(comm);
    if (c->comm)
        mdm_handle_drop(c->comm);
    c->comm = comm;
}

int mdm_control_reading(maskdm_control *c, double *told, int64_t read, int64_t found)
{
    struct maskdm_progress p = mdm_progress_blank();
    double now = mdm_clock();

    if (*told == 0 || (read && read == found) || now - *told >= TELL_EVERY) {
        *told = now;
        p.files_read = read;
        p.files = found;
        mdm_control_report(c, &p);
    }
    return mdm_control_check(c, "reading the images");
}

const struct mdm_log *mdm_control_log(const maskdm_control *c)
{
    return c && !c->muted ? &c->log : &silence;
}
