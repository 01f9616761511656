package com.amazonaws.services.lambda.runtime;

/** The Amazon Cognito identity that authorized the request. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
