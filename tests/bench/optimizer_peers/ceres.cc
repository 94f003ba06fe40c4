// Ceres' line search minimizers; their tests are off.
#include <ceres/ceres.h>
#include <glog/logging.h>

#include "peer.h"

extern "C" {
const char *const peer_name = "Ceres";
}

namespace
{

class Function : public ceres::FirstOrderFunction
{
  public:
    explicit Function(peer_run *run) : run_(run)
    {
    }

    bool Evaluate(const double *x, double *value, double *gradient) const override
    {
        *value = gradient != nullptr ? peer_value_and_gradient(run_, x, gradient) : peer_value(run_, x);
        return !run_->over;
    }

    int NumParameters() const override
    {
        return static_cast<int>(run_->problem->n);
    }

  private:
    peer_run *run_;
};

void solve(peer_run *run, double *x, ceres::LineSearchDirectionType direction)
{
    FLAGS_minloglevel = google::GLOG_FATAL; // it would tell of every restart
    ceres::GradientProblemSolver::Options options;
    options.line_search_direction_type = direction;
    options.max_num_iterations = 1000000;
    options.function_tolerance = 0.0;
    options.gradient_tolerance = 0.0;
    options.parameter_tolerance = 0.0;
    options.logging_type = ceres::SILENT;
    ceres::GradientProblem problem(new Function(run)); // which owns it
    ceres::GradientProblemSolver::Summary summary;
    ceres::Solve(options, problem, x, &summary);
}

void lbfgs(peer_run *run, double *x)
{
    solve(run, x, ceres::LBFGS);
}

void conjugate_gradient(peer_run *run, double *x)
{
    solve(run, x, ceres::NONLINEAR_CONJUGATE_GRADIENT);
}

} // namespace

extern "C" {
const peer_method peer_methods[] = {
    {"LBFGS", INT64_MAX, lbfgs}, {"nonlinear CG", INT64_MAX, conjugate_gradient}, {nullptr, 0, nullptr}};
}
