/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/control.h: validate and forward. maskdm_control_stop() and maskdm_control_cancel() store one atomic and
 * nothing else, so that signal handlers may call them.
 */
#include "base/control.h"

#include "api/argument.h"
#include "comm/comm.h"

int maskdm_control_create(maskdm_control **out)
{
    MDM_NEED_OUT(out);
    return mdm_control_make(out);
}

void maskdm_control_release(maskdm_control **control)
{
    if (control)
        mdm_control_drop(control);
}

void maskdm_control_set_progress(maskdm_control *control, maskdm_progress_callback callback, void *user)
{
    MDM_NEED_OR(control, );
    control->progress = callback;
    control->progress_user = user;
}

void maskdm_control_set_log(maskdm_control *control, maskdm_log_callback callback, void *user)
{
    MDM_NEED_OR(control, );
    control->log.call = callback;
    control->log.user = user;
}

void maskdm_control_set_comm(maskdm_control *control, maskdm_comm *comm)
{
    MDM_NEED_OR(control, );
    mdm_control_set_comm(control, MDM_HANDLE(comm));
}

void maskdm_control_stop(maskdm_control *control)
{
    if (control)
        atomic_store(&control->stop, 1);
}

void maskdm_control_cancel(maskdm_control *control)
{
    if (control)
        atomic_store(&control->cancel, 1);
}

void maskdm_control_save(maskdm_control *control)
{
    mdm_control_want_save(control);
}

void maskdm_control_reset(maskdm_control *control)
{
    mdm_control_lower(control);
}
