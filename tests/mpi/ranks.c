/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every rank of an mpirun does in the tests of the module: ranks WORK, with the module's file in
 * MASKDM_TEST_MPI. It prints a line, and ends with 0 where all was as it should be.
 */
#include <maskdm/maskdm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VALUES = (1 << 20) + 1234 }; /* more than one bucket */

static float value_of(int64_t rank, int i)
{
    static const float scale[] = {1, 1e2f, 1e4f, 1e6f};

    return (float)(i * 37 % 1013 - 500) * 1.1f * scale[(i + rank) % 4];
}

static float want_sum(int64_t from, int64_t count, int i)
{
    return count == 1 ? value_of(from, i)
                      : want_sum(from, count / 2, i) + want_sum(from + count / 2, count - count / 2, i);
}

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, maskdm_last_error());
    return 1;
}

static int sum(maskdm_comm *comm)
{
    float *values = malloc(VALUES * sizeof *values);

    if (!values)
        return fail("memory");
    for (int i = 0; i < VALUES; i++)
        values[i] = value_of(maskdm_comm_rank(comm), i);
    if (maskdm_comm_sum(comm, values, VALUES) < 0)
        return fail("sum");
    for (int i = 0; i < VALUES; i++) {
        const float want = want_sum(0, maskdm_comm_size(comm), i);

        if (memcmp(&want, &values[i], sizeof want) != 0)
            return fail("the sum has other bits");
    }
    free(values);
    return 0;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The last rank leaves in its own way, the others wait for it: they must be told within some seconds. It leaves after
 * an exchange that all have begun, since one that still opens is told of no loss but fails to open. */
static int lose(maskdm_comm **comm, const char *how)
{
    const int64_t last = maskdm_comm_size(*comm) - 1;
    const double began = seconds();
    float value = 1;
    int status = maskdm_comm_sum(*comm, &value, 1);

    if (maskdm_comm_rank(*comm) == last && !strcmp(how, "leave")) {
        maskdm_comm_release(comm);
        return 0;
    }
    if (maskdm_comm_rank(*comm) == last && !strcmp(how, "end"))
        _exit(0);
    if (maskdm_comm_rank(*comm) == last && !strcmp(how, "stop"))
        for (;;)
            pause();
    if (status == MASKDM_OK)
        status = maskdm_comm_sum(*comm, &value, 1);
    if (status != MASKDM_EDEVICE || maskdm_comm_lost(*comm) < 0)
        return fail("nobody is missed");
    if (seconds() - began > 20)
        return fail("it took too long");
    printf("rank %d lost %d: %s\n", (int)maskdm_comm_rank(*comm), (int)maskdm_comm_lost(*comm), maskdm_last_error());
    return 0;
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "", *module = getenv("MASKDM_TEST_MPI");
    maskdm_options *options;
    maskdm_comm *comm;
    int status;

    if (maskdm_options_create(&options, "comm") < 0 ||
        maskdm_options_set(options, "module", module ? module : "") < 0 ||
        maskdm_options_set(options, "patience", "3") < 0 || maskdm_comm_open(&comm, "mpi", options) < 0)
        return fail("open");
    printf("%s\n", maskdm_comm_description(comm));
    fflush(stdout);
    status = strcmp(work, "sum") ? lose(&comm, work) : sum(comm);
    fflush(stdout);
    maskdm_comm_release(&comm);
    if (!status && !strcmp(work, "sum") && maskdm_comm_open(&comm, "mpi", options) != MASKDM_ENOTSUP)
        status = fail("MPI began twice");
    maskdm_options_release(&options);
    return status;
}
