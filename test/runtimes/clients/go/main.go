// The function of the tests, on the official Go runtime.
package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event map[string]any

func handle(ctx context.Context, given event) (any, error) {
	switch given["do"] {
	case "fail":
		if text, given := given["text"].(string); given {
			return nil, errors.New(text)
		}
		return nil, errors.New("as asked")
	case "panic":
		panic("as asked")
	case "wait":
		time.Sleep(20 * time.Second)
	case "exit":
		os.Exit(7)
	case "text":
		return strings.Repeat("x", int(given["length"].(float64))-2), nil
	case "count":
		return len(given["text"].(string)), nil
	case "context":
		about, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return event{
			"requestId":          about.AwsRequestID,
			"deadlineMs":         deadline.UnixMilli(),
			"invokedFunctionArn": about.InvokedFunctionArn,
			"traceId":            os.Getenv("_X_AMZN_TRACE_ID"),
			"clientContext":      about.ClientContext.Custom,
			"tenantId":           about.TenantID,
			"identityId":         about.Identity.CognitoIdentityID,
			"functionName":       lambdacontext.FunctionName,
			"memoryMb":           lambdacontext.MemoryLimitInMB,
		}, nil
	}
	return given, nil
}

func main() {
	if _, fails := os.LookupEnv("FAIL_INIT"); fails {
		os.Exit(5)
	}
	lambda.Start(handle)
}
