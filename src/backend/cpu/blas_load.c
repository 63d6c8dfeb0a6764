/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BLAS of the shared library, loaded when it is first needed and never unloaded: it has threads.
 *
 * OpenBLAS takes memory while it is loaded, and where it gets none it tries again for ever (0.3.21, there or at the
 * process's end); where it gets no thread it ends the process. Both are tried out beforehand.
 */
#define _GNU_SOURCE

#include "backend/cpu/blas_library.h"

#include "base/error.h"
#include "config.h"
#include "os/limits.h"
#include "os/pool.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 1024 };
static const size_t FILES = 64 << 20; /* what its code and data take, and what comes with it */

#ifdef __ELF__
/* What packagers' tools read where there is no DT_NEEDED (UAPI group's specification of ELF dlopen metadata). */
#    define NOTE                                                                                             \
        "[{\"soname\":[\"" MDM_BLAS_LIBRARY "\"],\"feature\":\"blas\","                                   \
        "\"description\":\"matrix products where there are no kernels of our own\",\"priority\":\"recommended\"}]"
static const struct {
    uint32_t name_bytes, bytes, type;
    char name[4];
    _Alignas(4) char text[sizeof NOTE];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {4, sizeof NOTE, 0x407c0c0a, "FDO", NOTE};
#endif

/* At most so many threads, one of them the caller, will it have. */
static long count_threads(void)
{
    static const char *const variable[] = {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"};
    long most = sysconf(_SC_NPROCESSORS_CONF);

    most = most < 1 ? 1 : most > MOST_THREADS ? MOST_THREADS : most;
    for (size_t i = 0; i < MDM_LENGTH(variable); i++) {
        const char *s = getenv(variable[i]);
        long n = 0;

        for (; s && *s >= '0' && *s <= '9' && n < most; s++)
            n = n * 10 + *s - '0';
        if (n > 0)
            return n < most ? n : most;
    }
    return most;
}

static int check_limits(size_t area)
{
    long threads = count_threads();
    size_t bytes = FILES + area + (size_t)threads * (area + mdm_limits_stack());
    struct mdm_pool *p;
    int status;

    if (!mdm_limits_room(bytes))
        return mdm_fail(MASKDM_ENOMEM,
                        "the limits of this process (ulimit -v, ulimit -d) leave less than the %zu bytes of "
                        "address space that OpenBLAS may take with %ld thread%s; OPENBLAS_NUM_THREADS=1 needs %zu",
                        bytes, threads, threads == 1 ? "" : "s", FILES + 2 * area + mdm_limits_stack());
    status = mdm_pool_create(&p, (int)threads, NULL, NULL);
    if (status)
        return mdm_fail_prefix(status, "OpenBLAS may have %ld threads of its own (OPENBLAS_NUM_THREADS)", threads);
    mdm_pool_release(&p);
    return MASKDM_OK;
}

/* POSIX wants a function's address to pass through dlsym()'s pointer to data; ISO C has no conversion for it. */
static void find(void *function, void *library, const char *name)
{
    void *p = dlsym(library, name);

    memcpy(function, &p, sizeof p);
}

int mdm_blas_find(struct mdm_blas_library *out, size_t area)
{
    void *library = dlopen(MDM_BLAS_LIBRARY, RTLD_NOW | RTLD_NOLOAD);

    if (!library) {
        MDM_TRY(check_limits(area));
        out->reserve = (size_t)(count_threads() - 1) * area;
        library = dlopen(MDM_BLAS_LIBRARY, RTLD_NOW);
    }
    if (!library)
        return mdm_fail(MASKDM_ENOTFOUND, "cannot load the BLAS library: %s", dlerror());
    find(&out->sgemm, library, "cblas_sgemm");
    find(&out->get_parallel, library, "openblas_get_parallel");
    find(&out->get_corename, library, "openblas_get_corename");
    find(&out->get_num_threads, library, "openblas_get_num_threads");
    find(&out->set_num_threads, library, "openblas_set_num_threads");
    find(&out->omp_get_max_threads, library, "omp_get_max_threads");
    find(&out->omp_set_num_threads, library, "omp_set_num_threads");
    if (!out->sgemm) {
        (void)dlclose(library);
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no cblas_sgemm()", MDM_BLAS_LIBRARY);
    }
    return MASKDM_OK;
}
