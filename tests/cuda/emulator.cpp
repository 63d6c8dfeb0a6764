/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One grid at a time: blocks one after the other, a block's threads in turns. A thread runs until it has to wait for
 * others, and a fiber that has ended one thread goes on with the next that has not begun, so that kernels in which
 * nobody waits need no more than one.
 */
#include "emulator.h"

#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

enum { LANES = warpSize, NAN_BYTE = 0xff, GUARD = 64 };
enum state { READY, AT_WARP, AT_BARRIER, AT_GATE, ENDED };

struct copy {
    void *to;
    const void *from;
    int bytes, read, group;
};

struct fellow {
    uint3 index;
    enum state state;
    mdm_fiber *fiber; /* NULL: not begun */
    mdm_site site;    /* where it waits */
    int groups;       /* of copies that were committed */
    std::vector<copy> copies;
};

struct team {
    unsigned exists, ended, arrived, mask;
    mdm_site site;
    int turn;
    mdm_put put[2][LANES]; /* in turns: who still reads one has not come to the next */
};

static struct {
    const std::function<void()> *body;
    int threads, live, now;
    int arrived, counted, result; /* of the barrier */
    mdm_site site;
    fellow thread[MDM_EMULATED_MOST_THREADS];
    team warp[MDM_EMULATED_MOST_THREADS / LANES];
    std::vector<int> ready; /* the last one is next */
    unsigned char *shared;
} block;

static std::vector<mdm_fiber *> idle;
static mdm_fiber host, nobody;
static enum { FORWARD, REVERSE, SHUFFLED } order;
static uint64_t dice;

void mdm_emulated_die(const char *format, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("emulated device: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, " [block %u,%u,%u of %u,%u,%u; thread %u,%u,%u of %u,%u,%u]\n", blockIdx.x, blockIdx.y,
            blockIdx.z, gridDim.x, gridDim.y, gridDim.z, threadIdx.x, threadIdx.y, threadIdx.z, blockDim.x,
            blockDim.y, blockDim.z);
    abort();
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_same(mdm_site a, mdm_site b)
{
    return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0);
}

/* ---- turns ---- */

static unsigned roll(size_t n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((dice >> 33) % n);
}

static void choose_order(void)
{
    const char *s = getenv("MASKDM_EMULATED_ORDER");

    order = FORWARD;
    if (s && strcmp(s, "reverse") == 0)
        order = REVERSE;
    else if (s && atoi(s) > 0) {
        order = SHUFFLED;
        dice = (uint64_t)atoi(s);
    } else if (s && *s && strcmp(s, "forward") != 0)
        mdm_emulated_die("MASKDM_EMULATED_ORDER is \"%s\", not forward, reverse or a number", s);
}

/* From..end, of those in the state, so that the first of them in our order comes next. */
static void let_go(int from, int end, enum state state)
{
    for (int k = from; k < end; k++) {
        const int i = order == REVERSE ? k : end - 1 - (k - from);

        if (i != block.now && block.thread[i].state == state) {
            block.thread[i].state = READY;
            block.ready.push_back(i);
        }
    }
}

static void tell_who_waits(void)
{
    for (int i = 0, told = 0; i < block.threads && told < 8; i++) {
        const fellow &t = block.thread[i];
        int same = 0;

        if (t.state != AT_WARP && t.state != AT_BARRIER && t.state != AT_GATE)
            continue;
        for (int k = 0; k < block.threads; k++) {
            const bool like = block.thread[k].state == t.state && is_same(block.thread[k].site, t.site);

            if (like && k < i)
                break;
            same += like;
        }
        if (same && ++told)
            fprintf(stderr, "emulated device: %d threads, the first of them %d, wait at %s:%d for %s\n", same, i,
                    name_of(t.site.file), t.site.line, t.state == AT_WARP      ? "their warp"
                    : t.state == AT_BARRIER ? "their block"
                                            : "a gate");
    }
    mdm_emulated_die("nobody can go on: %d of %d threads have not ended", block.live, block.threads);
}

/* Who is next, -1: all have ended. */
static int pick(void)
{
    int next;

    if (block.ready.empty()) {
        if (block.live)
            tell_who_waits();
        return -1;
    }
    if (order == SHUFFLED)
        std::swap(block.ready[roll(block.ready.size())], block.ready.back());
    next = block.ready.back();
    block.ready.pop_back();
    return next;
}

static void become(int i)
{
    block.now = i;
    threadIdx = block.thread[i].index;
}

static void end_thread(void);

/* Fresh registers hold anything: what a thread reads of its stack before it has written there is no number. */
static __attribute__((noinline)) void soil_stack(void)
{
    unsigned char below[8192];

    memset(below, NAN_BYTE, sizeof below);
    asm volatile("" : : "r"(below) : "memory");
}

static void fiber_body(void)
{
    mdm_fiber_began();
    for (;;) {
        mdm_fiber *self = block.thread[block.now].fiber;
        int next;

        soil_stack();
        (*block.body)();
        end_thread();
        next = pick();
        if (next >= 0 && !block.thread[next].fiber) {
            block.thread[next].fiber = self;
            become(next);
            continue;
        }
        idle.push_back(self);
        if (next >= 0)
            become(next);
        mdm_fiber_switch(&nobody, next < 0 ? &host : block.thread[next].fiber);
    }
}

static mdm_fiber *take_fiber(void)
{
    mdm_fiber *f;

    if (idle.empty()) {
        f = new mdm_fiber();
        mdm_fiber_make(f, fiber_body);
        return f;
    }
    f = idle.back();
    idle.pop_back();
    mdm_fiber_reset(f, fiber_body);
    return f;
}

static void go_to_next(void)
{
    fellow &self = block.thread[block.now];
    const int me = block.now, next = pick();

    if (next == me)
        return;
    if (!block.thread[next].fiber)
        block.thread[next].fiber = take_fiber();
    become(next);
    mdm_fiber_switch(self.fiber, block.thread[next].fiber);
}

static void wait_here(enum state state, mdm_site site)
{
    block.thread[block.now].state = state;
    block.thread[block.now].site = site;
    go_to_next();
}

/* Where the others have been let go: who came last need not go first. */
static void mix_in(void)
{
    if (order != SHUFFLED)
        return;
    block.ready.push_back(block.now);
    go_to_next();
}

/* ---- together ---- */

void *mdm_emulated_shared(void)
{
    return block.shared;
}

unsigned mdm_emulated_lane(void)
{
    return (unsigned)block.now % LANES;
}

static void finish_barrier(void)
{
    block.result = block.counted;
    block.arrived = block.counted = 0;
    let_go(0, block.threads, AT_BARRIER);
}

int mdm_emulated_barrier(int predicate, mdm_site site)
{
    if (block.arrived++ == 0)
        block.site = site;
    else if (!is_same(site, block.site))
        mdm_emulated_die("threads meet at different barriers, %s:%d and %s:%d", name_of(block.site.file),
                         block.site.line, name_of(site.file), site.line);
    block.counted += predicate != 0;
    if (block.arrived == block.live) {
        finish_barrier();
        mix_in();
    } else
        wait_here(AT_BARRIER, site);
    return block.result;
}

static void join_warp(team &w, unsigned lane, unsigned mask, mdm_site site)
{
    const char *file = name_of(site.file);

    if (!(mask >> lane & 1))
        mdm_emulated_die("%s:%d: lane %u is not in its mask %08x", file, site.line, lane, mask);
    if (mask & w.ended)
        mdm_emulated_die("%s:%d: lanes %08x have ended, mask %08x", file, site.line, mask & w.ended, mask);
    if (w.arrived == 0) {
        w.site = site;
        w.mask = mask;
    } else if (!is_same(site, w.site))
        mdm_emulated_die("lanes of a warp meet at different places, %s:%d and %s:%d", name_of(w.site.file),
                         w.site.line, file, site.line);
    else if (mask != w.mask)
        mdm_emulated_die("%s:%d: lanes come with masks %08x and %08x", file, site.line, w.mask, mask);
}

mdm_put *mdm_emulated_exchange(unsigned mask, const void *put, size_t bytes, mdm_site site, void (*last)(mdm_put *))
{
    const int first = block.now / LANES * LANES;
    const unsigned lane = (unsigned)(block.now - first);
    team &w = block.warp[first / LANES];
    mdm_put *table = w.put[w.turn];

    join_warp(w, lane, mask, site);
    if (w.arrived == 0 && (mask & w.exists) != ~0u)
        memset(table, NAN_BYTE, sizeof w.put[0]);
    if (bytes)
        memcpy(table[lane].byte, put, bytes);
    w.arrived |= 1u << lane;
    if (w.arrived != (mask & w.exists)) {
        wait_here(AT_WARP, site);
        return table;
    }
    if (last)
        last(table);
    w.turn ^= 1;
    w.arrived = 0;
    let_go(first, first + LANES < block.threads ? first + LANES : block.threads, AT_WARP);
    mix_in();
    return table;
}

/* ---- copies that take their time ---- */

void mdm_emulated_copy_async(void *shared, const void *global, int bytes, int read)
{
    fellow &t = block.thread[block.now];

    if ((bytes != 4 && bytes != 8 && bytes != 16) || (uintptr_t)shared % (unsigned)bytes ||
        (read && (uintptr_t)global % (unsigned)bytes) || read < 0 || read > bytes)
        mdm_emulated_die("a copy of %d (%d) bytes from %p to %p", bytes, read, global, shared);
    t.copies.push_back({shared, global, bytes, read, t.groups});
}

void mdm_emulated_copy_commit(void)
{
    block.thread[block.now].groups++;
}

static void copy_before(fellow &t, int group)
{
    size_t kept = 0;

    for (const copy &c : t.copies)
        if (c.group < group) {
            memcpy(c.to, c.from, (size_t)c.read);
            memset((char *)c.to + c.read, 0, (size_t)(c.bytes - c.read));
        } else
            t.copies[kept++] = c;
    t.copies.resize(kept);
}

void mdm_emulated_copy_wait(int groups)
{
    copy_before(block.thread[block.now], block.thread[block.now].groups - groups);
}

void mdm_emulated_copy_wait_all(void)
{
    copy_before(block.thread[block.now], block.thread[block.now].groups + 1);
}

/* ---- gates ---- */

struct gate {
    unsigned short count, missing;
    unsigned phase;
};

void mdm_emulated_gate_make(void *at, int count)
{
    const gate g = {(unsigned short)count, (unsigned short)count, 0};

    if ((uintptr_t)at % sizeof g)
        mdm_emulated_die("the address of a gate is no multiple of %zu", sizeof g);
    memcpy(at, &g, sizeof g);
}

void mdm_emulated_gate_arrive(void *at)
{
    gate g;

    memcpy(&g, at, sizeof g);
    if (--g.missing == 0) {
        g.missing = g.count;
        g.phase++;
        let_go(0, block.threads, AT_GATE);
    }
    memcpy(at, &g, sizeof g);
}

void mdm_emulated_gate_wait(void *at, int odd, const char *file, int line)
{
    gate g;

    for (memcpy(&g, at, sizeof g); (int)(g.phase % 2) == odd; memcpy(&g, at, sizeof g))
        wait_here(AT_GATE, {file, line});
}

/* ---- grids ---- */

static void end_thread(void)
{
    fellow &t = block.thread[block.now];
    team &w = block.warp[block.now / LANES];

    copy_before(t, t.groups + 1);
    t.state = ENDED;
    t.fiber = nullptr;
    w.ended |= 1u << mdm_emulated_lane();
    if (w.arrived & w.mask && w.mask >> mdm_emulated_lane() & 1)
        mdm_emulated_die("a thread ends for which its warp waits at %s:%d", name_of(w.site.file), w.site.line);
    if (--block.live && block.arrived == block.live)
        finish_barrier();
}

/* All thread-local memory of this module is shared memory of kernels (mdm_vectors.h). */
static thread_local unsigned char touched;
struct span {
    void *at;
    size_t bytes;
};

static int find_span(struct dl_phdr_info *info, size_t, void *out)
{
    size_t bytes = 0;
    bool ours = false;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, here = (uintptr_t)&find_span;

        if (info->dlpi_phdr[i].p_type == PT_TLS)
            bytes = info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && here >= from && here - from < info->dlpi_phdr[i].p_memsz)
            ours = true;
    }
    if (ours)
        *(span *)out = {info->dlpi_tls_data, bytes};
    return ours;
}

static span static_shared(void)
{
    span s = {nullptr, 0};

    touched = 1;
    dl_iterate_phdr(find_span, &s);
    return s;
}

static void begin_block(dim3 size)
{
    block.live = block.threads;
    block.now = -1;
    block.arrived = block.counted = 0;
    block.ready.clear();
    for (int i = 0; i < block.threads; i++) {
        fellow &t = block.thread[i];
        const unsigned k = (unsigned)i;

        t.index = {k % size.x, k / size.x % size.y, k / size.x / size.y};
        t.state = AT_BARRIER;
        t.fiber = nullptr;
        t.groups = 0;
    }
    for (int i = 0; i < block.threads; i += LANES) {
        team &w = block.warp[i / LANES];

        w.ended = w.arrived = 0;
        w.turn = 0;
        w.exists = block.threads - i < LANES ? (1u << (block.threads - i)) - 1 : ~0u;
    }
    let_go(0, block.threads, AT_BARRIER);
}

static void run_block(dim3 size)
{
    int first;

    begin_block(size);
    first = pick();
    block.thread[first].fiber = take_fiber();
    become(first);
    mdm_fiber_switch(&host, block.thread[first].fiber);
}

/* Fresh shared memory holds anything; to fill all of it each time would take most of the time. */
static void poison(span still, size_t shared, uint64_t done)
{
    if (done & (done - 1))
        return;
    if (still.at && still.bytes)
        memset(still.at, NAN_BYTE, still.bytes);
    memset(block.shared, NAN_BYTE, shared);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    return b ? gcd(b, a % b) : a;
}

void mdm_emulated_run(dim3 grid, dim3 size, size_t shared, const void *kernel, const std::function<void()> &body)
{
    const uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
    const size_t guard =
#ifdef __SANITIZE_ADDRESS__
        0; /* it looks at the end itself */
#else
        GUARD;
#endif
    const span still = static_shared();
    uint64_t step = 1;
    void *memory;

    (void)kernel;
    choose_order();
    if (order == SHUFFLED)
        for (step = 1 + roll(blocks); gcd(step, blocks) != 1;)
            step++;
    if (posix_memalign(&memory, 128, shared + guard))
        mdm_emulated_die("no memory for shared memory");
    block.shared = (unsigned char *)memory;
    memset(block.shared + shared, NAN_BYTE, guard);
    block.body = &body;
    block.threads = (int)(size.x * size.y * size.z);
    gridDim = grid;
    blockDim = size;
    for (uint64_t done = 0; done < blocks; done++) {
        const uint64_t i = order == REVERSE ? blocks - 1 - done : done * step % blocks;

        blockIdx = {(unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y)};
        poison(still, shared, done);
        run_block(size);
        for (size_t k = 0; k < guard; k++)
            if (block.shared[shared + k] != NAN_BYTE)
                mdm_emulated_die("a block wrote behind its %zu bytes of shared memory", shared);
    }
    free(memory);
}
