/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Communicators across the border: check arguments, forward.
 */
#include "comm/comm.h"

#include "api/argument.h"

int maskdm_comm_open(maskdm_comm **out, const char *name, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(name);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_comm_open(out, name, options));
}

void maskdm_comm_release(maskdm_comm **comm)
{
    if (comm)
        mdm_comm_drop(comm);
}

int64_t maskdm_comm_rank(const maskdm_comm *comm)
{
    MDM_NEED(comm);
    return comm->carrier->rank;
}

int64_t maskdm_comm_size(const maskdm_comm *comm)
{
    MDM_NEED(comm);
    return comm->carrier->size;
}

int64_t maskdm_comm_lost(const maskdm_comm *comm)
{
    MDM_NEED(comm);
    return comm->carrier->lost;
}

const char *maskdm_comm_description(const maskdm_comm *comm)
{
    MDM_NEED_OR(comm, NULL);
    return comm->text;
}

int maskdm_comm_sum(maskdm_comm *comm, float *values, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(comm);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(values, count);
    MDM_TRY(mdm_work_alone(&work, &comm->handle));
    return mdm_work_end(&work, mdm_comm_sum(comm, values, (size_t)count));
}
