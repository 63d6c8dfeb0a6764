/* SPDX-License-Identifier: BSD-2-Clause */
#include "comm/mpi/whereabouts.h"

#include <errno.h>
#include <mpi.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void mdm_locate(struct mdm_whereabouts *at)
{
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    struct stat space;
    int length;

    memset(at, 0, sizeof *at);
    if (MPI_Get_processor_name(name, &length) != MPI_SUCCESS)
        length = 0;
    memcpy(at->host, name, length < MDM_HOST_NAME ? (size_t)length : MDM_HOST_NAME - 1);
    at->process = (int64_t)getpid();
    if (stat("/proc/self/ns/pid", &space) == 0)
        at->space = (int64_t)space.st_ino;
}

/* Also true of one whose launcher, which may be in no hurry, has not asked how it ended, so that kill() still finds
 * its number taken. */
static int has_ended(pid_t process)
{
#ifdef SYS_pidfd_open
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, process, 0U), .events = POLLIN};

    if (end.fd >= 0) {
        const int ended = poll(&end, 1, 0) > 0;

        (void)close(end.fd);
        return ended;
    }
#endif
    return kill(process, 0) < 0 && errno == ESRCH;
}

int mdm_has_ended(const struct mdm_whereabouts *other, const struct mdm_whereabouts *own)
{
    return other->space && other->space == own->space && !strcmp(other->host, own->host) &&
           has_ended((pid_t)other->process);
}
