
Ù
É
"
telemetry.sdk.language
python
%
telemetry.sdk.name
opentelemetry
!
telemetry.sdk.version
1.45.2
=
service.instance.id&
$808e5631-4d50-4c3a-aebe-842578be6c5b

service.name

capturesŠ
1
'opentelemetry.instrumentation.langchain0.62.4t*-2+
)
content
You are a helpful assistant.2#
gen_ai.provider.name
	langchainY5Äíƒêbgen_ai.system.message_*2

content
	STREAMERR2#
gen_ai.provider.name
	langchainYÈ~Äíƒêbgen_ai.user.message