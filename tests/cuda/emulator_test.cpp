/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The emulator itself: what threads do together, products of a warp against their formula, streams and graphs, and
 * that each of the faults it is there for shows or ends the process, in a child.
 */
#include "emulator.h"

#include <cuda_bf16.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

static cudaStream_t stream;

/* In children too, where Check has nobody to tell. */
static void expect(bool true_here)
{
    if (!true_here)
        _exit(EXIT_FAILURE);
}

template <class... P, class... A>
static void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A... argument)
{
    cudaLaunchConfig_t c = {};

    c.gridDim = grid;
    c.blockDim = block;
    c.dynamicSmemBytes = shared;
    c.stream = stream;
    expect(cudaLaunchKernelEx(&c, kernel, static_cast<P>(argument)...) == cudaSuccess);
}

template <class T> struct device_array {
    T *at;
    size_t n;
    device_array(size_t count) : n(count)
    {
        expect(cudaMalloc(&at, n * sizeof(T)) == cudaSuccess);
    }
    ~device_array()
    {
        cudaFree(at);
    }
    std::vector<T> get() const
    {
        std::vector<T> out(n);

        expect(cudaMemcpyAsync(out.data(), at, n * sizeof(T), cudaMemcpyDeviceToHost, stream) == cudaSuccess);
        return out;
    }
    void set(const std::vector<T> &from)
    {
        ck_assert_int_eq(cudaMemcpyAsync(at, from.data(), n * sizeof(T), cudaMemcpyHostToDevice, stream),
                         cudaSuccess);
    }
};

static const char *const orders[] = {"forward", "reverse", "5", "77"};

/* ---- together ---- */

static __global__ void warp_words(int *out)
{
    const int i = (int)threadIdx.x, lane = i % 32;
    int *o = out + i * 8;

    o[0] = __shfl_xor_sync(~0u, i, 5);
    o[1] = __shfl_up_sync(~0u, i, 3);
    o[2] = __shfl_down_sync(~0u, i, 3, 16);
    o[3] = __shfl_sync(~0u, i, 40);
    o[4] = (int)__ballot_sync(~0u, lane % 3 == 0);
    o[5] = __any_sync(~0u, i == 70) * 2 + __all_sync(~0u, i < 64);
    o[6] = __syncthreads_count(i % 5 == 0);
    o[7] = (int)(__shfl_xor_sync(~0u, (double)i, 1) * 2);
}

START_TEST(warps_and_blocks_exchange)
{
    device_array<int> out(96 * 8);

    setenv("MASKDM_EMULATED_ORDER", orders[_i], 1);
    launch(warp_words, 1, 96, 0, out.at);
    const std::vector<int> got = out.get();
    for (int i = 0; i < 96; i++) {
        const int *o = &got[(size_t)i * 8], lane = i % 32;

        ck_assert_int_eq(o[0], i ^ 5);
        ck_assert_int_eq(o[1], lane < 3 ? i : i - 3);
        ck_assert_int_eq(o[2], lane % 16 + 3 < 16 ? i + 3 : i);
        ck_assert_int_eq(o[3], i / 32 * 32 + 8);
        ck_assert_int_eq(o[4], 0x49249249);
        ck_assert_int_eq(o[5], (i / 32 == 2 ? 2 : 0) + (i < 64));
        ck_assert_int_eq(o[6], 20);
        ck_assert_int_eq(o[7], 2 * (i ^ 1));
    }
}
END_TEST

/* Sums of blocks by halves, through shared memory of both kinds. */
template <bool BARRIER> static __global__ void halve(float *out)
{
    __shared__ float still[256];
    MDM_CUDA_SHARED(float, moving);
    const unsigned i = threadIdx.x + threadIdx.y * blockDim.x;

    still[i] = (float)(i + 1 + 1000 * (blockIdx.x + gridDim.x * blockIdx.y));
    for (unsigned n = 128; n > 0; n /= 2) {
        if (BARRIER)
            __syncthreads();
        if (i < n)
            moving[i] = still[i] + still[i + n];
        if (BARRIER)
            __syncthreads();
        if (i < n)
            still[i] = moving[i];
    }
    if (i == 0)
        out[blockIdx.x + gridDim.x * blockIdx.y] = still[0];
}

START_TEST(blocks_sum_through_shared_memory)
{
    device_array<float> out(15);

    setenv("MASKDM_EMULATED_ORDER", orders[_i], 1);
    launch(halve<true>, dim3(5, 3), dim3(64, 4), 128 * sizeof(float), out.at);
    const std::vector<float> got = out.get();
    for (int b = 0; b < 15; b++)
        ck_assert_float_eq(got[(size_t)b], (float)(256 * 257 / 2 + 256000 * b));
}
END_TEST

START_TEST(a_missing_barrier_shows)
{
    int wrong = 0;

    for (const char *order : orders) {
        device_array<float> out(4);

        setenv("MASKDM_EMULATED_ORDER", order, 1);
        launch(halve<false>, 4, 256, 128 * sizeof(float), out.at);
        const std::vector<float> got = out.get();
        for (int b = 0; b < 4; b++)
            wrong += !(got[(size_t)b] == (float)(256 * 257 / 2 + 256000 * b));
    }
    ck_assert_int_ge(wrong, 4);
}
END_TEST

static __global__ void read_unwritten(float *out, int from_static)
{
    __shared__ float still[32];
    MDM_CUDA_SHARED(float, moving);

    if (threadIdx.x == 40)
        still[3] = moving[3] = 1;
    out[threadIdx.x] = from_static ? still[threadIdx.x] : moving[threadIdx.x];
}

START_TEST(shared_memory_begins_as_nan)
{
    device_array<float> out(32);

    for (int from_static = 0; from_static <= 1; from_static++) {
#ifdef __SANITIZE_ADDRESS__
        if (from_static)
            continue;
#endif
        launch(read_unwritten, 1, 32, 128, out.at, from_static);
        for (float x : out.get())
            ck_assert(x != x);
    }
    for (float x : device_array<float>(32).get())
        ck_assert(x != x);
}
END_TEST

/* ---- products ---- */

static __global__ void multiply_bf16(float *d, const mdm_put *, const __nv_bfloat16 *a, const __nv_bfloat16 *b)
{
    __shared__ __align__(16) __nv_bfloat16 left[16 * 16], right[16 * 8];
    const unsigned lane = threadIdx.x, g = lane / 4, t = lane % 4;
    unsigned x[4], y[2];
    float sum[4] = {1, 2, 3, 4};

    for (unsigned i = lane; i < 256; i += 32)
        left[i] = a[i];
    for (unsigned i = lane; i < 16; i += 32)
        mdm_emulated_copy_async(right + 8 * i, b + 8 * i, 16, 16);
    mdm_emulated_copy_commit();
    mdm_emulated_copy_wait(0);
    __syncthreads();
    mdm_emulated_ldmatrix(x, 4, 0, left + lane % 16 * 16 + lane / 16 * 8);
    mdm_emulated_ldmatrix(y, 2, 1, right + lane % 16 * 8);
    mdm_emulated_mma_bf16(sum, x, y);
    for (unsigned i = 0; i < 4; i++)
        d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i] - (float)(i + 1);
}

START_TEST(products_of_a_warp)
{
    device_array<__nv_bfloat16> a(256), b(128);
    device_array<float> d(128);
    std::vector<__nv_bfloat16> x(256), y(128);

    setenv("MASKDM_EMULATED_ORDER", orders[_i], 1);
    for (size_t i = 0; i < 256; i++)
        x[i] = (float)(int)(i * 37 % 19) - 9;
    for (size_t i = 0; i < 128; i++)
        y[i] = (float)(int)(i * 53 % 23) - 11;
    a.set(x);
    b.set(y);
    launch(multiply_bf16, 1, 32, 0, d.at, nullptr, a.at, b.at);
    const std::vector<float> got = d.get();
    for (size_t m = 0; m < 16; m++)
        for (size_t n = 0; n < 8; n++) {
            float want = 0;

            for (size_t k = 0; k < 16; k++)
                want += (float)x[m * 16 + k] * (float)y[k * 8 + n];
            ck_assert_float_eq(got[m * 8 + n], want);
        }
}
END_TEST

static __global__ void multiply_tf32(float *d, const float *a, const float *b)
{
    const unsigned lane = threadIdx.x, g = lane / 4, t = lane % 4;
    const unsigned x[4] = {mdm_emulated_tf32(a[g * 8 + t]), mdm_emulated_tf32(a[(g + 8) * 8 + t]),
                           mdm_emulated_tf32(a[g * 8 + t + 4]), mdm_emulated_tf32(a[(g + 8) * 8 + t + 4])};
    const unsigned y[2] = {mdm_emulated_tf32(b[t * 8 + g]), mdm_emulated_tf32(b[(t + 4) * 8 + g])};
    float sum[4] = {0, 0, 0, 0};

    mdm_emulated_mma_tf32(sum, x, y);
    for (unsigned i = 0; i < 4; i++)
        d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

START_TEST(products_of_tf32)
{
    device_array<float> a(128), b(64), d(128);
    std::vector<float> x(128), y(64);

    for (size_t i = 0; i < 128; i++)
        x[i] = ((float)(int)(i * 37 % 19) - 9) * (1 + 1e-5f);
    for (size_t i = 0; i < 64; i++)
        y[i] = (float)(int)(i * 53 % 23) - 11;
    a.set(x);
    b.set(y);
    launch(multiply_tf32, 1, 32, 0, d.at, a.at, b.at);
    const std::vector<float> got = d.get();
    for (size_t m = 0; m < 16; m++)
        for (size_t n = 0; n < 8; n++) {
            float want = 0;

            for (size_t k = 0; k < 8; k++)
                want += roundf(x[m * 8 + k]) * y[k * 8 + n];
            ck_assert_float_eq(got[m * 8 + n], want);
        }
}
END_TEST

static __global__ void copy_and_hope(float *out, const float *in)
{
    __shared__ __align__(16) float room[4];

    mdm_emulated_copy_async(room, in, 16, 8);
    mdm_emulated_copy_commit();
    out[0] = room[0];
    mdm_emulated_copy_wait(0);
    for (int i = 0; i < 4; i++)
        out[1 + i] = room[i];
}

START_TEST(copies_come_when_they_are_waited_for)
{
    device_array<float> in(4), out(5);

    in.set({5, 6, 7, 8});
    launch(copy_and_hope, 1, 1, 0, out.at, in.at);
    const std::vector<float> got = out.get();
    ck_assert(got[0] != 5);
    ck_assert_float_eq(got[1], 5);
    ck_assert_float_eq(got[2], 6);
    ck_assert_float_eq(got[3], 0);
    ck_assert_float_eq(got[4], 0);
}
END_TEST

/* ---- the runtime ---- */

static __global__ void add_one(float *x)
{
    x[threadIdx.x] += 1;
}

START_TEST(work_waits_for_those_who_wait)
{
    device_array<float> x(4);
    float *pinned;
    cudaEvent_t event;

    ck_assert_int_eq(cudaHostAlloc(&pinned, 16, cudaHostAllocDefault), cudaSuccess);
    ck_assert_int_eq(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    x.set({1, 2, 3, 4});
    launch(add_one, 1, 4, 0, x.at);
    pinned[0] = -1;
    cudaMemcpyAsync(pinned, x.at, 16, cudaMemcpyDeviceToHost, stream);
    cudaEventRecord(event, stream);
    launch(add_one, 1, 4, 0, x.at);
    ck_assert_float_eq(pinned[0], -1);
    cudaEventSynchronize(event);
    ck_assert_float_eq(pinned[0], 2);
    ck_assert_float_eq(x.get()[3], 6);
    cudaEventDestroy(event);
    cudaFreeHost(pinned);
}
END_TEST

START_TEST(graphs_play_what_was_noted)
{
    device_array<float> x(4);
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    void *more;

    x.set({1, 2, 3, 4});
    ck_assert_int_eq(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    launch(add_one, 1, 4, 0, x.at);
    launch(add_one, 1, 2, 0, x.at);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ck_assert_float_eq(x.get()[0], 1);
    ck_assert_int_eq(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    cudaGraphDestroy(graph);
    for (int i = 0; i < 3; i++)
        cudaGraphLaunch(exec, stream);
    ck_assert_float_eq(x.get()[0], 7);
    ck_assert_float_eq(x.get()[3], 7);
    cudaGraphExecDestroy(exec);
    ck_assert_int_eq(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    ck_assert_int_eq(cudaMalloc(&more, 16), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
    cudaGetLastError();
}
END_TEST

START_TEST(launches_are_held_to_limits)
{
    cudaLaunchConfig_t c = {};
    float *none = nullptr;

    c.stream = stream;
    c.blockDim = dim3(1025);
    ck_assert_int_eq(cudaLaunchKernelEx(&c, add_one, none), cudaErrorInvalidConfiguration);
    c.blockDim = dim3(1);
    c.gridDim = dim3(1, 65536);
    ck_assert_int_eq(cudaLaunchKernelEx(&c, add_one, none), cudaErrorInvalidConfiguration);
    c.gridDim = dim3(0);
    ck_assert_int_eq(cudaLaunchKernelEx(&c, add_one, none), cudaErrorInvalidConfiguration);
    c.gridDim = dim3(1);
    c.dynamicSmemBytes = 49 * 1024;
    ck_assert_int_eq(cudaLaunchKernelEx(&c, add_one, none), cudaErrorInvalidValue);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorInvalidValue);
}
END_TEST

/* ---- what ends the process ---- */

static __global__ void two_barriers(void)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

static __global__ void half_a_shuffle(int *out)
{
    if (threadIdx.x % 2)
        out[threadIdx.x] = __shfl_xor_sync(~0u, 1, 1);
}

static __global__ void shuffle_or_barrier(int *out)
{
    if (threadIdx.x % 2)
        out[threadIdx.x] = __shfl_xor_sync(~0u, 1, 1);
    else
        __syncthreads();
}

static __global__ void two_shuffles(int *out)
{
    if (threadIdx.x % 2)
        out[threadIdx.x] = __shfl_xor_sync(~0u, 1, 1);
    else
        out[threadIdx.x] = __shfl_xor_sync(~0u, 2, 1);
}

static __global__ void outside_of_mask(int *out)
{
    out[threadIdx.x] = __shfl_xor_sync(0xffffu, 1, 1);
}

static __global__ void over_the_end(void)
{
    MDM_CUDA_SHARED(int, room);

    room[threadIdx.x] = 1;
}

static __global__ void leave_memory(int *out)
{
    out[threadIdx.x] = 1;
}

static void fault(int which)
{
    device_array<int> out(64);
    int here[4] = {0, 0, 0, 0};

    switch (which) {
    case 0:
        launch(two_barriers, 1, 64, 0);
        break;
    case 1:
        launch(half_a_shuffle, 1, 64, 0, out.at);
        break;
    case 2:
        launch(shuffle_or_barrier, 1, 64, 0, out.at);
        break;
    case 3:
        launch(two_shuffles, 1, 64, 0, out.at);
        break;
    case 4:
        launch(outside_of_mask, 1, 64, 0, out.at);
        break;
    case 5:
        launch(over_the_end, 1, 64, 63 * sizeof(int));
        break;
    case 6:
        cudaMemcpyAsync(here, here, sizeof here, cudaMemcpyHostToDevice, stream);
        break;
    case 7:
        cudaFree(here);
        break;
    case 8:
        launch(leave_memory, 1, 65, 0, out.at); /* the address sanitizer alone sees it */
        break;
    }
    cudaStreamSynchronize(stream);
}

#ifdef __SANITIZE_ADDRESS__
enum { FAULTS = 9 };
#else
enum { FAULTS = 8 };
#endif

/* A child of its own: CUDA is no more in a process that was forked from its own. */
START_TEST(faults_end_the_process)
{
    char number[16], line[256] = "";
    int status, ends[2];
    ssize_t n;
    pid_t child;

    snprintf(number, sizeof number, "%d", _i % FAULTS);
    setenv("MASKDM_EMULATED_ORDER", orders[_i / FAULTS], 1);
    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "emulator_test", "fault", number, (char *)nullptr);
        _exit(EXIT_FAILURE);
    }
    close(ends[1]);
    for (size_t got = 0; got + 1 < sizeof line && (n = read(ends[0], line + got, sizeof line - 1 - got)) > 0;)
        line[got += (size_t)n] = 0;
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 0, "fault %d goes unnoticed", _i % FAULTS);
    ck_assert_msg(strstr(line, "emulated device: ") || strstr(line, "AddressSanitizer"), "fault %d: %s", _i % FAULTS,
                  line);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("emulator");
    TCase *c = tcase_create("emulator");
    SRunner *r = srunner_create(s);
    int failed;

    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    if (argc > 2) {
        fault(atoi(argv[2]));
        return 0;
    }
    tcase_add_loop_test(c, warps_and_blocks_exchange, 0, 4);
    tcase_add_loop_test(c, blocks_sum_through_shared_memory, 0, 4);
    tcase_add_test(c, a_missing_barrier_shows);
    tcase_add_test(c, shared_memory_begins_as_nan);
    tcase_add_loop_test(c, products_of_a_warp, 0, 4);
    tcase_add_test(c, products_of_tf32);
    tcase_add_test(c, copies_come_when_they_are_waited_for);
    tcase_add_test(c, work_waits_for_those_who_wait);
    tcase_add_test(c, graphs_play_what_was_noted);
    tcase_add_test(c, launches_are_held_to_limits);
    tcase_add_loop_test(c, faults_end_the_process, 0, FAULTS * 4);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
