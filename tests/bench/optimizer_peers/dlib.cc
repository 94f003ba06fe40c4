// dlib's find_min().
#include <dlib/optimization.h>

#include "peer.h"

extern "C" {
const char *const peer_name = "dlib";
}

namespace
{

using vector = dlib::matrix<double, 0, 1>;

struct over {
};

template <class Strategy> void solve(peer_run *run, double *x0, const Strategy &strategy)
{
    const long n = static_cast<long>(run->problem->n);
    vector x(n);
    std::copy(x0, x0 + n, x.begin());
    const auto value = [run](const vector &at) {
        const double f = peer_value(run, &at(0));
        return run->over ? throw over() : f;
    };
    const auto gradient = [run, n](const vector &at) {
        vector g(n);
        peer_gradient(run, &at(0), &g(0));
        return run->over ? throw over() : g;
    };
    try {
        dlib::find_min(strategy, dlib::objective_delta_stop_strategy(1e-300, 1000000), value, gradient, x,
                       -1e300);
    } catch (const over &) {
    } catch (const std::exception &) { // it fails by exceptions
    }
}

void lbfgs(peer_run *run, double *x)
{
    solve(run, x, dlib::lbfgs_search_strategy(10));
}

void conjugate_gradient(peer_run *run, double *x)
{
    solve(run, x, dlib::cg_search_strategy());
}

} // namespace

extern "C" {
const peer_method peer_methods[] = {
    {"L-BFGS (10)", INT64_MAX, lbfgs}, {"CG", INT64_MAX, conjugate_gradient}, {nullptr, 0, nullptr}};
}
