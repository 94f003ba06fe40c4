/*
 * A pool of POSIX threads.
 *
 * Indices are handed out one by one from a counter, so threads that finish early take more; which thread runs
 * an index never matters to a result. The system may give fewer threads than asked: the caller's own always
 * works. A child after fork() has none of them, notices by its process number, and runs everything itself.
 *
 * Nobody waits for a thread that has not come yet: a job has a gate, which is open while there are indices left. Threads that pass
 * it are waited for; one that comes when it is closed goes back to sleep. So a job never takes longer than the caller's thread
 * alone would, but for those that work on it.
 *
 * To sleep and be woken takes some ten microseconds, as long as a small batch of a stochastic method. Before a thread sleeps it
 * looks out for the next job, or the caller for the end of this one, for SPIN_NANOSECONDS: what lies between two batches is less.
 * It does so only where there is a processor for every thread.
 */
#include "core/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { SPIN_NANOSECONDS = 50000 };

typedef struct worker {
    lossi_pool *pool;
    pthread_t thread;
    int32_t number;
} worker;

/* A gate: the number of its job, whether it is open, and how many threads are inside, the caller's not counted. */
enum { INSIDE_BITS = 20 };
static const uint64_t inside_mask = (UINT64_C(1) << INSIDE_BITS) - 1, open_gate = UINT64_C(1) << INSIDE_BITS,
                      next_job = UINT64_C(2) << INSIDE_BITS;

struct lossi_pool {
    pthread_mutex_t mutex;
    pthread_cond_t start, finished;
    pid_t owner;     /* the process the threads belong to */
    int32_t threads; /* asked for, the caller's included */
    int32_t started; /* given by the system, without the caller's */
    int32_t spins;   /* whether to look out before sleeping */
    _Atomic uint64_t gate;
    atomic_int_fast32_t sleeping; /* workers that have to be woken */
    atomic_int_fast32_t waiting;  /* whether the caller sleeps */
    atomic_int_fast32_t leave;    /* set once, at the end */
    int64_t count;                /* of the current job, and so the next three */
    atomic_int_fast64_t next;
    lossi_task task;
    void *argument;
    worker workers[];
};

static void take_indices(lossi_pool *pool, int32_t number)
{
    for (;;) {
        int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count) {
            return;
        }
        pool->task(pool->argument, index, number);
    }
}

/* ---- looking out ---- */

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Leaves the core's resources to others for a moment. */
static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int32_t is_new(const lossi_pool *pool, uint64_t done)
{
    return atomic_load(&pool->gate) / next_job != done || atomic_load(&pool->leave);
}

static int32_t is_empty(const lossi_pool *pool, uint64_t unused)
{
    (void)unused;
    return (atomic_load(&pool->gate) & inside_mask) == 0;
}

/* Whether it came true before it was time to sleep. */
static int32_t look_out(const lossi_pool *pool, int32_t (*is_true)(const lossi_pool *, uint64_t),
                        uint64_t number)
{
    if (is_true(pool, number)) {
        return 1;
    }
    for (const int64_t begin = nanoseconds(); pool->spins && nanoseconds() - begin < SPIN_NANOSECONDS;) {
        if (is_true(pool, number)) {
            return 1;
        }
        pause_briefly();
    }
    return 0;
}

/* ---- workers ---- */

/*
 * Waits for another job than `done`. Who goes to sleep says so and then looks at the gate, who opens the gate then looks at who
 * sleeps: in one order for all threads, so that one of them sees the other.
 */
static void await_job(lossi_pool *pool, uint64_t done)
{
    if (look_out(pool, is_new, done)) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (!is_new(pool, done)) {
        pthread_cond_wait(&pool->start, &pool->mutex);
    }
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->mutex);
}

/* Through the gate, unless it is closed. */
static int32_t enter(lossi_pool *pool, uint64_t *job)
{
    uint64_t gate = atomic_load(&pool->gate);
    while ((gate & open_gate) != 0) {
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1)) {
            break;
        }
    }
    *job = gate / next_job;
    return (gate & open_gate) != 0;
}

/* The last one out of a closed gate wakes the caller. */
static void exit_gate(lossi_pool *pool)
{
    const uint64_t gate = atomic_fetch_sub(&pool->gate, 1) - 1;
    if ((gate & (inside_mask | open_gate)) == 0 && atomic_load(&pool->waiting)) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->finished);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void *work(void *argument)
{
    worker *self = argument;
    lossi_pool *pool = self->pool;
    uint64_t done = 0;

    for (;;) {
        await_job(pool, done);
        if (atomic_load(&pool->leave)) {
            return NULL;
        }
        if (enter(pool, &done)) {
            take_indices(pool, self->number);
            exit_gate(pool);
        }
    }
}

/* Signals belong to the program: our threads take none of them. */
static void start_threads(lossi_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int32_t i = 0; i < pool->threads - 1; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->number = i + 1;
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            break;
        }
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

lossi_pool *lossi_pool_create(loss_context *context, int32_t threads)
{
    lossi_pool *pool = lossi_allocate(context,
                                      (int64_t)sizeof *pool + (int64_t)sizeof(worker) * (threads - 1));
    if (pool == NULL) {
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->finished, NULL);
    pool->owner = getpid();
    pool->threads = threads;
    pool->spins = sysconf(_SC_NPROCESSORS_ONLN) >= threads;
    atomic_init(&pool->gate, 0);
    atomic_init(&pool->sleeping, 0);
    atomic_init(&pool->waiting, 0);
    atomic_init(&pool->leave, 0);
    atomic_init(&pool->next, 0);
    start_threads(pool);
    return pool;
}

void lossi_pool_free(loss_context *context, lossi_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->mutex);
        atomic_store(&pool->leave, 1);
        pthread_cond_broadcast(&pool->start);
        pthread_mutex_unlock(&pool->mutex);
        for (int32_t i = 0; i < pool->started; i++) {
            pthread_join(pool->workers[i].thread, NULL);
        }
        pthread_cond_destroy(&pool->finished);
        pthread_cond_destroy(&pool->start);
        pthread_mutex_destroy(&pool->mutex);
    }
    lossi_release(context, pool);
}

int32_t lossi_pool_threads(const lossi_pool *pool)
{
    return pool->threads;
}

/* What is to be done is written before; nobody reads it before the gate is open, or after it is empty. */
static void open_job(lossi_pool *pool)
{
    const uint64_t job = atomic_load(&pool->gate) / next_job + 1;
    atomic_store(&pool->gate, job * next_job + open_gate);
    if (atomic_load(&pool->sleeping) > 0) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->start);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void await_end(lossi_pool *pool)
{
    if (look_out(pool, is_empty, 0)) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->waiting, 1);
    while (!is_empty(pool, 0)) {
        pthread_cond_wait(&pool->finished, &pool->mutex);
    }
    atomic_store(&pool->waiting, 0);
    pthread_mutex_unlock(&pool->mutex);
}

void lossi_pool_run(lossi_pool *pool, int64_t count, lossi_task task, void *argument)
{
    if (pool->started == 0 || pool->owner != getpid()) {
        for (int64_t i = 0; i < count; i++) {
            task(argument, i, 0);
        }
        return;
    }
    pool->task = task;
    pool->argument = argument;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    open_job(pool);
    take_indices(pool, 0);
    atomic_fetch_and(&pool->gate, ~open_gate);
    await_end(pool);
}
